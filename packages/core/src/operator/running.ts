import type { Channel } from "../channel/channel.js";
import { stopRequestsOf } from "../jobs/audit.js";
import { recordsOf } from "../jobs/records/orphans.js";
import { lockOf, toRecord } from "../jobs/records/record.js";
import type { RunContext } from "../jobs/run/context.js";
import type { RunRecord } from "../jobs/types.js";
import type { LocksValue } from "../locks/entries/schema.js";
import type { HeldLock } from "../locks/types.js";
import { present } from "../util/shape.js";
import { progressOf } from "./follow-log.js";
import { usually } from "./job-summary.js";
import type { ActiveRun } from "./live-runs.js";

/** This many records are read at once, so that ten thousand running jobs do not cost as many round trips. */
const LOCKS_AT_ONCE = 100;

/** The records of the open runs of all processes, found by their locks. */
export async function openRecords(jobs: Channel<RunRecord>, held: readonly HeldLock[]): Promise<RunRecord[]> {
  const found: RunRecord[] = [];
  for (let i = 0; i < held.length; i += LOCKS_AT_ONCE) {
    const entries = await recordsOf(jobs, held.slice(i, i + LOCKS_AT_ONCE));
    for (const entry of entries) if (entry?.value.status === "running") found.push(toRecord(entry));
  }
  return found;
}

/** The active runs, like those of {@link LiveRuns}, but without leases: only a watcher knows those. */
export async function activeRuns(
  { jobs, lockChannel, logs }: RunContext,
  held: readonly HeldLock[],
): Promise<ActiveRun[]> {
  const runs = await openRecords(jobs, held);
  const asked = await stopRequestsOf(lockChannel as Channel<LocksValue>, runs);
  const locks = new Map(held.map((lock) => [lock.name, lock]));
  return Promise.all(
    runs.map(async (run): Promise<ActiveRun> => {
      const [usual, progress] = await Promise.all([usually(jobs, run.name), progressOf(logs, run, {})]);
      const { waiting = 0, fence = run.fence ?? "" } = locks.get(lockOf(run)) ?? {};
      return { ...run, fence, waiting, ...present({ usual, progress, stopRequest: asked.get(run.id) }) };
    }),
  );
}
