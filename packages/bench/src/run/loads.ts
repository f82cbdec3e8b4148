import type { Contestant, Load, RawStore } from "./contestant.js";

const VALUE: unknown = {
  name: "daily-report",
  startTime: 1_795_000_000_000,
  startDate: "2026-11-18T10:13:20.000Z",
  status: "running",
  holder: { host: "worker-17", pid: 4711, instance: "0123456789ab" },
  trigger: "manual",
  timeout: 3_600_000,
};

/** Executes a load `count` times. Resolves to the actual number. */
export type Work = (load: Load, count: number) => Promise<number>;

/** The work of a contestant for each load. */
export function workOf(contestant: Contestant): Work {
  const calls = new Map<string, (name: string) => Promise<unknown>>();
  const swap = swapping(contestant.verbs);
  calls.set("run", (name) => contestant.run(`job-${name}`));
  calls.set("get", async (name) => contestant.verbs?.get(`key-${name}`));
  calls.set("set", async (name) => contestant.verbs?.set(`key-${name}`, VALUE));
  calls.set("compareAndSet", swap);
  return async ({ what, width }, count) => {
    const call = calls.get(what);
    if (call === undefined) throw new Error(`there is no load "${what}"`);
    await contestant.prepare?.(width);
    return atOnce(call, width, count);
  };
}

/** Calls for `width` names at once, those of each name one after the other. All names do the same number. */
async function atOnce(call: (name: string) => Promise<unknown>, width: number, count: number): Promise<number> {
  const each = Math.ceil(count / width);
  const repeat = async (name: string): Promise<void> => {
    for (let i = 0; i < each; i++) await call(name);
  };
  await Promise.all(Array.from({ length: width }, (_, n) => repeat(String(n))));
  return each * width;
}

/**
 * Compare-and-set with the last known version. Throws if it fails once, because the measurement would be
 * invalid.
 */
function swapping(verbs: RawStore | undefined): (name: string) => Promise<void> {
  const versions = new Map<string, string>();
  return async (name) => {
    const key = `swapped-${name}`;
    const version = await verbs?.compareAndSet(key, versions.get(key) ?? null, VALUE);
    if (version === undefined) throw new Error(`${key} was changed by another process`);
    versions.set(key, version);
  };
}
