import { useEffect } from "preact/hooks";
import { queryOf, read } from "../api/call.js";
import type { Zones } from "../api/types.js";
import { me } from "../app/me.js";
import { jobZones, zoneChoice } from "../format/zone.js";

/** How often all zones are read again, in ms: a schedule may be added, or change its zone. */
const REFRESH = 60_000;

/** Reads the zones of the jobs, while times are shown in them. */
export function useJobZones(): void {
  const isWanted = zoneChoice.value === "job" && me.value !== undefined;
  useEffect(() => {
    if (!isWanted) return undefined;
    const abort = new AbortController();
    // A failed read is repeated the next time. The page itself reports that the server is away.
    const load = (): void => {
      if (!document.hidden) void readAll(abort.signal).catch(() => undefined);
    };
    load();
    const timer = setInterval(load, REFRESH);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [isWanted]);
}

async function readAll(signal: AbortSignal): Promise<void> {
  const all = new Map<string, string>();
  let after: string | undefined;
  do {
    const { zones, more } = await read<Zones>(`zones${queryOf({ after })}`, signal);
    for (const { name, timeZone } of zones) all.set(name, timeZone);
    after = more ? zones.at(-1)?.name : undefined;
  } while (after !== undefined);
  jobZones.value = all;
}
