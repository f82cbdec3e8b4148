import type { Zones } from "../contract/jobs.js";
import { type NamesAsked, pageOf } from "./jobs/jobs.js";
import { zoneOf } from "./schedules.js";
import { fitting, type Source, take } from "./source.js";

/** The time zones of the schedules, by name. */
export async function zonesOf({ scheduler }: Source, asked: NamesAsked): Promise<Zones> {
  const schedules = await take(scheduler.schedules(), Number.POSITIVE_INFINITY);
  const zones = new Map(schedules.map(({ name, definition }) => [name, zoneOf(definition)]));
  const page = pageOf(zones.keys(), asked);
  const { items, more } = fitting(page.names.map((name) => ({ name, zone: zones.get(name) ?? "UTC" })));
  return { zones: items, more: more || page.more };
}
