import type { Channel, JsonValue } from "@ojm/core";
import type { RawStore } from "./floors/floor.js";
import { compare, type Load, type Ratio } from "./measure.js";

const VALUE: JsonValue = {
  name: "daily-report",
  startTime: 1_795_000_000_000,
  startDate: "2026-11-18T10:13:20.000Z",
  status: "running",
  holder: { host: "worker-17", pid: 4711, instance: "0123456789ab" },
  trigger: "manual",
  timeout: 3_600_000,
};

/** Calls of one verb, `width` in flight at a time, each on its own key. */
function inFlight(width: number, call: (key: string) => Promise<unknown>): Load {
  return async (count) => {
    const each = async (key: string): Promise<void> => {
      for (let i = 0; i < count / width; i++) await call(key);
    };
    await Promise.all(Array.from({ length: width }, (_, n) => each(`key-${n}`)));
  };
}

/** Compare-and-set with the last known version. Throws if it fails once: then nothing was measured. */
function swapping(swap: (key: string, version: string | null) => Promise<string | undefined>) {
  const versions = new Map<string, string>();
  return async (key: string): Promise<void> => {
    // Use other keys than the other verbs: they write theirs without a look at the version.
    const version = await swap(`swapped-${key}`, versions.get(key) ?? null);
    if (version === undefined) throw new Error(`${key} was changed by somebody else`);
    versions.set(key, version);
  };
}

/** What a verb costs over the store's own driver. */
export interface VerbRow extends Ratio {
  readonly verb: "get" | "set" | "compareAndSet";
  readonly inFlight: number;
}

/** Measures get, set and compareAndSet at 1 and 50 in flight against the driver. */
export async function measureVerbs(channel: Channel, raw: RawStore, count: number, rounds: number): Promise<VerbRow[]> {
  const ours = swapping(async (key, version) => {
    const result = await channel.compareAndSet(key, version, VALUE);
    return result.ok ? result.version : undefined;
  });
  const theirs = swapping((key, version) => raw.compareAndSet(key, version, VALUE));
  const verbs = {
    set: [(key: string) => channel.set(key, VALUE), (key: string) => raw.set(key, VALUE)],
    get: [(key: string) => channel.get(key), (key: string) => raw.get(key)],
    compareAndSet: [ours, theirs],
  } as const;
  const rows: VerbRow[] = [];
  for (const [verb, [a, b]] of Object.entries(verbs)) {
    for (const width of [1, 50]) {
      const ratio = await compare(inFlight(width, a), inFlight(width, b), count, rounds);
      rows.push({ verb: verb as VerbRow["verb"], inFlight: width, ...ratio });
    }
  }
  return rows;
}
