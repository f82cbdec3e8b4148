import type { JobManager, Waiter } from "@ojm/core";
import { elapsedText, visible } from "@ojm/core/internal";

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
