import { hostname } from "node:os";
import type { HeldLock, JobManager, JobSummary, Progress, RunRecord, Waiter } from "@ojm/core";
import type { LiveRun } from "@ojm/core/internal";
import { sayDuration } from "../../../output/times.js";
import { type Orphan, orphansOf, recordOf, runsWithLock } from "../../exec/orphans.js";
import { askedField, type StopAsked } from "./asked.js";

/** A run that goes on. */
export interface Running extends RunRecord {
  /** For how long it runs, in ms, by the clock of this machine. */
  readonly elapsed: number;
  /** How long its job usually takes: see {@link JobSummary.usual}. */
  readonly usual?: NonNullable<JobSummary["usual"]>;
  readonly progress?: Progress;
  /** How many wait for its lock. */
  readonly waiting: number;
  /** Who waits for it, in the order in which they will have it. */
  readonly waiters?: readonly Waiter[];
  /** The command of `ojm exec` that goes on although its ojm was killed: its run is over. */
  readonly orphan?: Pick<Orphan, "host" | "pid">;
  /** Who asked it to stop. It has not obeyed so far. */
  readonly asked?: StopAsked;
}

/** The runs that go on, of all processes. `locks`: those that are held. */
export async function running(manager: JobManager, locks: readonly HeldLock[]): Promise<Running[]> {
  const runs = await manager.liveRuns({ locks });
  const now = Date.now();
  return Promise.all(
    runs.map(async (run) => rowOf(run, now, run.waiting === 0 ? undefined : await manager.waiters(run.name))),
  );
}

/** A run as the screens and the tables show it. */
export function rowOf({ asked, ...run }: LiveRun, now: number, waiters?: readonly Waiter[]): Running {
  return {
    ...run,
    elapsed: Math.max(0, now - run.startTime),
    ...(waiters !== undefined && { waiters }),
    ...askedField(asked),
  };
}

/** The runs whose commands certainly go on although their ojm was killed, and those commands. */
export async function orphaned(
  manager: JobManager,
  locks: readonly HeldLock[],
): Promise<{ readonly runs: Running[]; readonly orphans: Orphan[] }> {
  const orphans = (await orphansOf(manager, runsWithLock(locks))).filter(({ isCertain }) => isCertain);
  const runs: Running[] = [];
  for (const orphan of orphans) {
    const record = await recordOf(manager, orphan);
    if (record === undefined) continue;
    const { host, pid } = orphan;
    runs.push({ ...record, elapsed: Math.max(0, Date.now() - record.startTime), waiting: 0, orphan: { host, pid } });
  }
  return { runs, orphans };
}

/** For how long a run goes on, of its usual time. */
export function sayElapsed({ elapsed, usual }: Running): string {
  return usual === undefined ? sayDuration(elapsed) : `${sayDuration(elapsed)} of ${sayDuration(usual.p50)}`;
}

/** Where a run is; the host only if it is another one than this. */
export function sayWhere({ holder, orphan }: Running): string {
  const { host, pid } = orphan ?? holder;
  return `${host === hostname() ? "" : `${host}, `}pid ${pid}${orphan === undefined ? "" : ", without ojm"}`;
}
