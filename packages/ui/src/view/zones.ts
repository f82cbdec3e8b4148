import type { Zones } from "../contract/types.js";
import type { NamesAsked } from "./jobs/jobs.js";
import { zoneOf } from "./schedules.js";
import { fitting, type Source, take } from "./source.js";

/** The time zones of the schedules, by name. */
export async function readZones({ scheduler }: Source): Promise<Zones["zones"]> {
  const schedules = await take(scheduler.schedules(), Number.POSITIVE_INFINITY);
  return schedules
    .map(({ name, definition }) => ({ name, timeZone: zoneOf(definition) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A page of the zones. It includes schedules of ojm itself, which have pages too. */
export function zonesOf(all: Zones["zones"], { after, limit }: NamesAsked): Zones {
  const rest = all.filter(({ name }) => after === undefined || name > after);
  const { items, more } = fitting(rest.slice(0, limit));
  return { zones: items, more: more || rest.length > limit };
}
