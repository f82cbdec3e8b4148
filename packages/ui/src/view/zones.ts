import type { Zones } from "../contract/types.js";
import { type NamesQuery, zoneOf } from "./jobs/jobs.js";
import { fitting, type Source } from "./source.js";

/** The time zones of the schedules, by name. */
export async function readZones({ hub }: Source): Promise<Zones["zones"]> {
  const store = await hub.store();
  return store
    .scheduleNames()
    .sort()
    .flatMap((name) => {
      const definition = store.schedule(name)?.definition();
      return definition === undefined ? [] : [{ name, timeZone: zoneOf(definition) }];
    });
}

/** A page of the zones. It includes schedules of ojm itself, which have pages too. */
export function zonesOf(all: Zones["zones"], { after, limit }: NamesQuery): Zones {
  const rest = all.filter(({ name }) => after === undefined || name > after);
  const { items, more } = fitting(rest.slice(0, limit));
  return { zones: items, more: more || rest.length > limit };
}
