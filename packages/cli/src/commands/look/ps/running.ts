import { hostname } from "node:os";
import type { JobManager, Progress, RunRecord, Waiter } from "@ojm/core";
import { sayDuration } from "../../../output/times.js";
import { type Orphan, orphansOf, recordOf } from "../../exec/orphans.js";
import { askedField, type StopAsked } from "./asked.js";
import { type WaitedFor, withWaiters } from "./waiters.js";

/** From how many of the last runs it is told how long a job usually takes. */
const USUAL = 20;

/** A run that goes on. */
export interface Running extends RunRecord {
  /** For how long it runs, in ms, by the clock of this machine. */
  readonly elapsed: number;
  /** How long half of the last runs took that completed, in ms. */
  readonly usual?: number;
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

/** The runs that go on, of all processes. */
export async function running(manager: JobManager): Promise<Running[]> {
  const [runs, held] = await Promise.all([manager.running(), manager.locks()]);
  const names = new Set(runs.map(({ name }) => name));
  const locks = await withWaiters(
    manager,
    held.filter(({ name }) => names.has(name)),
  );
  const asked = await manager.stopsAsked(runs);
  const waited = new Map<string, WaitedFor>(locks.map((lock) => [lock.name, lock]));
  const now = Date.now();
  return Promise.all(
    runs.map(async (run): Promise<Running> => {
      const { waiting = 0, waiters } = waited.get(run.name) ?? {};
      const [usual, progress] = await Promise.all([usually(manager, run.name), manager.progress(run)]);
      return {
        ...run,
        elapsed: Math.max(0, now - run.startTime),
        ...(usual !== undefined && { usual }),
        ...(progress !== undefined && { progress }),
        waiting,
        ...(waiters !== undefined && { waiters }),
        ...askedField(asked.get(run.id)),
      };
    }),
  );
}

/** The runs whose commands certainly go on although their ojm was killed, and those commands. */
export async function orphaned(manager: JobManager): Promise<{ readonly runs: Running[]; readonly orphans: Orphan[] }> {
  const orphans = (await orphansOf(manager)).filter(({ isCertain }) => isCertain);
  const runs: Running[] = [];
  for (const orphan of orphans) {
    const record = await recordOf(manager, orphan);
    if (record === undefined) continue;
    const { host, pid } = orphan;
    runs.push({ ...record, elapsed: Math.max(0, Date.now() - record.startTime), waiting: 0, orphan: { host, pid } });
  }
  return { runs, orphans };
}

/** How long half of the last runs of a job took that completed, in ms. */
export async function usually(manager: JobManager, name: string): Promise<number | undefined> {
  const took: number[] = [];
  for await (const { status, duration } of manager.history({ name, limit: USUAL })) {
    if (status === "completed" && duration !== undefined) took.push(duration);
  }
  // As in what is live: of two, the shorter one.
  return took.sort((a, b) => a - b)[Math.ceil(took.length / 2) - 1];
}

/** For how long a run goes on, of its usual time. */
export function sayElapsed({ elapsed, usual }: Running): string {
  return usual === undefined ? sayDuration(elapsed) : `${sayDuration(elapsed)} of ${sayDuration(usual)}`;
}

/** Where a run is; the host only if it is another one than this. */
export function sayWhere({ holder, orphan }: Running): string {
  const { host, pid } = orphan ?? holder;
  return `${host === hostname() ? "" : `${host}, `}pid ${pid}${orphan === undefined ? "" : ", without ojm"}`;
}
