import { setTimeout as sleep } from "node:timers/promises";
import { type Channel, type JobManager, openChannel, openJobManager, type RunRecord, runId } from "@ojm/core";
import { median } from "../report/statistics.js";
import type { Store } from "../stores.js";

/** How many records of each name there are. */
const EACH = 10;

/** How far the records of the store reach back, in ms. */
const SPAN = 30 * 86_400_000;

/** How often a history is read. */
const READS = 20;

/** The cost of many names in one store. Times in ms. */
export interface NamesRow {
  readonly store: string;
  readonly names: number;
  readonly records: number;
  readonly insertPerSecond: number;
  /** `history({ limit: 10 })`, and ten records of a window in the middle: median of {@link READS}. */
  readonly newest: number;
  readonly window: number;
  /** Prune of the older half, divided by the time to write its records. */
  readonly prune: number;
}

/** Fills a new store with records of `names` names, and measures reading and deleting them. */
export async function measureNames(store: Store, names: number): Promise<NamesRow> {
  const { options, close } = await store.open();
  try {
    await using manager = await openJobManager(options);
    const records = names * EACH;
    const now = Date.now();
    const took = await fill(options.chJobs ?? {}, names, now);
    const newest = await reading(manager, {});
    const window = await reading(manager, { to: now - SPAN / 2 });
    const began = performance.now();
    const { removed } = await manager.prune({ olderThan: SPAN / 2 });
    const pruning = performance.now() - began;
    const prune = pruning / (took * (removed / records));
    return {
      store: store.name,
      names,
      records,
      insertPerSecond: Math.round((records / took) * 1_000),
      newest,
      window,
      prune,
    };
  } finally {
    await close();
  }
}

/** Writes the records as managers do, each with its entry in the index. Resolves to how long it took. */
async function fill(config: object, names: number, now: number): Promise<number> {
  await using jobs = await openChannel<RunRecord>("oJobManager-jobs", config);
  await using times = await openChannel<unknown>("oJobManager-times", config);
  await ready(times);
  const most = Math.min(200, Math.floor(jobs.supports.maxOps / 2));
  const total = names * EACH;
  const began = performance.now();
  for (let at = 0; at < total; at += most) {
    const batch = Array.from({ length: Math.min(most, total - at) }, (_, i) => recordOf(at + i, names, total, now));
    const puts = batch.map((value) => ({ put: { name: value.name, startTime: value.startTime }, value }));
    const refs = batch.map(({ name, startTime }) => ({ put: [startTime, name], value: 0 }));
    await jobs.commitWith(puts, [{ channel: times, ops: refs }]);
  }
  return performance.now() - began;
}

/** Resolves once the manager knows that the index of its new store is whole. */
async function ready(times: Channel<unknown>): Promise<void> {
  while ((await times.get("filled")) === undefined) await sleep(10);
}

function recordOf(i: number, names: number, total: number, now: number): RunRecord {
  const startTime = now - SPAN + Math.floor((i * SPAN) / total);
  const endTime = startTime + 1_000;
  const name = `job-${i % names}`;
  return {
    name,
    startTime,
    startDate: new Date(startTime).toISOString(),
    id: runId({ name, startTime }),
    status: "completed",
    holder: { host: "worker-17", pid: 4711, instance: "0123456789ab" },
    trigger: "schedule",
    timeout: 3_600_000,
    fence: String(i + 1),
    endTime,
    endDate: new Date(endTime).toISOString(),
    duration: 1_000,
    inError: false,
  };
}

async function reading(manager: JobManager, range: { readonly to?: number }): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < READS; i++) {
    const began = performance.now();
    for await (const _ of manager.history({ ...range, limit: 10 }));
    times.push(performance.now() - began);
  }
  return median(times);
}
