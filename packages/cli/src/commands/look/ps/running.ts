import { hostname } from "node:os";
import type { AuditEntry, HeldLock, JobManager, JobSummary, Progress, RunRecord, Waiter } from "@ojm/core";
import { type ActiveRun, elapsedSince, elapsedText, visible } from "@ojm/core/internal";
import { type SayTime, sayDuration } from "../../../output/times.js";
import { type Orphan, orphansOf, recordOf, runsWithLock } from "../../exec/orphans.js";

/** A request to stop a run. */
export interface StopRequest extends Pick<AuditEntry, "at" | "by" | "author" | "reason"> {}

/** The field about the request; empty if there is none. */
export function stopRequestField(entry: AuditEntry | undefined): { readonly stopRequest?: StopRequest } {
  if (entry === undefined) return {};
  const { at, by, author, reason } = entry;
  return { stopRequest: { at, by, ...(author !== undefined && { author }), ...(reason !== undefined && { reason }) } };
}

/** The request, as text. */
export function sayStopRequest(request: StopRequest, say: SayTime): string {
  return `${say(request.at)}, ${sayRequester(request)}`;
}

/** The author of the request, and the reason. */
export function sayRequester({ by, author, reason }: Omit<StopRequest, "at">): string {
  const who = author ?? `${by.host}, pid ${by.pid}`;
  return `by ${who}${reason === undefined ? "" : `: ${reason}`}`;
}

/** A run in progress. */
export interface Running extends RunRecord {
  /** How long it has been running, in ms, by the clock of this machine. */
  readonly elapsed: number;
  /** How long its job usually takes: see {@link JobSummary.usual}. */
  readonly usual?: NonNullable<JobSummary["usual"]>;
  readonly progress?: Progress;
  /** How many waiters its lock has. */
  readonly waiting: number;
  /** The waiters, in the order in which they will get the lock. */
  readonly waiters?: readonly Waiter[];
  /** The command of `ojm exec` that is still running although its ojm was killed: its run has ended. */
  readonly orphan?: Pick<Orphan, "host" | "pid">;
  /** The last request to stop it, without effect so far. */
  readonly stopRequest?: StopRequest;
}

/** The runs in progress, of all processes. `locks`: the held locks. */
export async function running(manager: JobManager, locks: readonly HeldLock[]): Promise<Running[]> {
  const runs = await manager.activeRuns({ locks });
  const now = Date.now();
  return Promise.all(
    runs.map(async (run) =>
      rowOf(run, now, run.waiting === 0 ? undefined : await manager.waiters(run.lock ?? run.name)),
    ),
  );
}

/** A run as the screens and the tables show it. */
export function rowOf({ stopRequest, ...run }: ActiveRun, now: number, waiters?: readonly Waiter[]): Running {
  return {
    ...run,
    elapsed: elapsedSince(run.startTime, now),
    ...(waiters !== undefined && { waiters }),
    ...stopRequestField(stopRequest),
  };
}

/** The runs whose commands are certainly still running although their ojm was killed, and those commands. */
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
    runs.push({ ...record, elapsed: elapsedSince(record.startTime, Date.now()), waiting: 0, orphan: { host, pid } });
  }
  return { runs, orphans };
}

/** How long a run has been running, and its usual time. */
export function sayElapsed({ elapsed, usual }: Running): string {
  return usual === undefined ? sayDuration(elapsed) : `${sayDuration(elapsed)} of ${sayDuration(usual.p50)}`;
}

/** Where a run is; with the host if it is not this one. */
export function sayWhere({ holder, orphan }: Running): string {
  const { host, pid } = orphan ?? holder;
  return `${host === hostname() ? "" : `${host}, `}pid ${pid}${orphan === undefined ? "" : ", without ojm"}`;
}

/** How many waiters of a lock are listed. */
const NAMED = 5;

/** The waiters of a lock and how long they have waited, in one line; empty if it has none. */
export function sayWaiters(one: Pick<Running, "name" | "lock" | "waiting" | "waiters">): string[] {
  const { name, lock = name, waiting, waiters = [] } = one;
  if (waiters.length === 0) return [];
  return [`${waiting === 1 ? "1 waits" : `${waiting} wait`} for ${visible(lock)}: ${sayProcesses(waiting, waiters)}`];
}

/** The first waiters, and how many others there are. */
export function sayProcesses(waiting: number, waiters: readonly Waiter[]): string {
  const named = waiters.slice(0, NAMED).map(sayOne);
  const more = Math.max(waiting, waiters.length) - named.length;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join("; ");
}

const sayOne = ({ host, pid, since }: Waiter): string => `${host}, pid ${pid}${sayWaited(since)}`;

/** For how long a run or a process has waited; empty if that is not known. */
export const sayWaited = (since: number | undefined): string =>
  since === undefined ? "" : `, for ${elapsedText(Math.max(0, Date.now() - since))}`;
