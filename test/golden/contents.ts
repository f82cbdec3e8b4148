import type { AuditEntry, JobManager, LogItem, PendingRetry, Progress, RunRecord } from "@ojm/core";
import { type Hold, holdOf, isOwn } from "@ojm/core/internal";
import type { BackfillProgress, CheckedDefinition, Pause, Scheduler, ScheduleTick } from "@ojm/schedule";
import { collect } from "../../packages/core/src/testing/settle.js";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

/** What a reader finds in a store. */
export interface Contents {
  /** The runs that are over. */
  readonly runs: readonly {
    readonly record: RunRecord;
    readonly log: readonly LogItem[];
    readonly progress?: Progress;
  }[];
  /** The ids of the active runs. */
  readonly open: readonly string[];
  /** The highest fence of a run or a lock. */
  readonly fence: string;
  readonly retries: readonly PendingRetry[];
  readonly holds: readonly { readonly name: string; readonly hold: Hold }[];
  readonly schedules: readonly {
    readonly name: string;
    readonly definition: CheckedDefinition;
    readonly revision: number;
    readonly paused?: Pause;
  }[];
  readonly ticks: readonly ScheduleTick[];
  readonly backfills: readonly BackfillProgress[];
  readonly audit: readonly AuditEntry[];
  /** The runs of all jobs by the hour, up to 90 minutes before. */
  readonly rollups: Awaited<ReturnType<JobManager["rollups"]>>["jobs"];
}

/** Reads a store. `at`: the present, of the moment at which it was saved. */
export async function contentsOf(manager: JobManager, scheduler: Scheduler, at: number): Promise<Contents> {
  const records = (await collect(manager.history())).filter(({ name }) => !isOwn(name));
  const runs = records
    .filter(({ status }) => status !== "running")
    .map(async (record) => {
      const [log, progress] = await Promise.all([collect(manager.log(record)), manager.progress(record)]);
      return { record, log, ...(progress !== undefined && { progress }) };
    });
  const locks = await manager.heldLocks();
  const schedules = await collect(scheduler.schedules());
  const ticks = await Promise.all(schedules.map(({ name }) => collect(scheduler.ticks(name))));
  const fences = [...records.map(({ fence = "" }) => fence), ...locks.map(({ fence }) => fence)];
  const range = { from: at - 4 * DAY, to: at - 90 * MINUTE, by: "hour" } as const;
  return {
    runs: await Promise.all(runs),
    open: records.filter(({ status }) => status === "running").map(({ id }) => id),
    fence: fences.toSorted().at(-1) ?? "",
    retries: await manager.retries(),
    holds: locks.flatMap((lock) => {
      const hold = holdOf(lock);
      return hold === undefined ? [] : [{ name: lock.name, hold }];
    }),
    schedules: schedules.map(({ name, definition, revision, paused }) => ({
      name,
      definition,
      revision,
      ...(paused !== undefined && { paused }),
    })),
    ticks: ticks.flat(),
    backfills: await collect(scheduler.backfills()),
    audit: await collect(manager.audit()),
    rollups: (await manager.rollups(range)).jobs,
  };
}
