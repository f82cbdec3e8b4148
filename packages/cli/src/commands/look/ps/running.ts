import { hostname } from "node:os";
import type { AuditEntry, HeldLock, JobManager, JobSummary, Progress, RunRecord, Waiter } from "@ojm/core";
import { elapsedText, type LiveRun, visible } from "@ojm/core/internal";
import { type SayTime, sayDuration } from "../../../output/times.js";
import { type Orphan, orphansOf, recordOf, runsWithLock } from "../../exec/orphans.js";

/** That somebody asked a run to stop. */
export interface StopAsked extends Pick<AuditEntry, "at" | "by" | "author" | "reason"> {}

/** What is told of the request; nothing if nobody asked. */
export function askedField(entry: AuditEntry | undefined): { readonly asked?: StopAsked } {
  if (entry === undefined) return {};
  const { at, by, author, reason } = entry;
  return { asked: { at, by, ...(author !== undefined && { author }), ...(reason !== undefined && { reason }) } };
}

/** The request in words. */
export function sayAsked(asked: StopAsked, say: SayTime): string {
  return `${say(asked.at)}, ${sayAsker(asked)}`;
}

/** Who asked, and why. */
export function sayAsker({ by, author, reason }: Omit<StopAsked, "at">): string {
  const who = author ?? `${by.host}, pid ${by.pid}`;
  return `by ${who}${reason === undefined ? "" : `: ${reason}`}`;
}

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

/** How many of those that wait for a lock are told in words. */
const NAMED = 5;

/** A job whose lock others wait for. */
export interface WaitedFor {
  readonly name: string;
  readonly waiting: number;
  readonly waiters?: readonly Waiter[];
}

/** Looks up who waits for the locks that somebody waits for. */
export async function withWaiters<T extends WaitedFor>(manager: JobManager, all: readonly T[]): Promise<T[]> {
  return Promise.all(
    all.map(async (one) => (one.waiting === 0 ? one : { ...one, waiters: await manager.waiters(one.name) })),
  );
}

/** Who waits for the lock of a job, and for how long, in one line; nothing if nobody does. */
export function sayWaiters({ name, waiting, waiters = [] }: WaitedFor): string[] {
  if (waiters.length === 0) return [];
  return [`${waiting === 1 ? "1 waits" : `${waiting} wait`} for ${visible(name)}: ${sayProcesses(waiting, waiters)}`];
}

/** The first processes that wait, and how many others do. */
export function sayProcesses(waiting: number, waiters: readonly Waiter[]): string {
  const named = waiters.slice(0, NAMED).map(sayOne);
  const more = Math.max(waiting, waiters.length) - named.length;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join("; ");
}

function sayOne({ host, pid, since }: Waiter): string {
  const waits = since === undefined ? "" : `, for ${elapsedText(Math.max(0, Date.now() - since))}`;
  return `${host}, pid ${pid}${waits}`;
}
