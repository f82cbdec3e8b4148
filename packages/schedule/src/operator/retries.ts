import type { JobManager, PendingRetry } from "@ojm/core";
import { type SchedulerView, schedulersIn } from "../control/overview.js";
import type { Retry } from "./problems.js";

/**
 * Attempts that are to come, the soonest first, and which of them no process makes. Reads the schedulers only
 * if the process of one is gone. One that died on another machine counts as living for 15 seconds more.
 *
 * @throws ChannelError if the store fails
 * @example
 * for (const { name, due, orphaned } of await retriesOf(manager, await manager.retries())) {
 *   console.log(name, new Date(due), orphaned === true ? "no process makes it" : "");
 * }
 */
export async function retriesOf(manager: JobManager, retries: readonly PendingRetry[]): Promise<Retry[]> {
  const left = new Set(await manager.retriesLeft(retries));
  const schedulers: SchedulerView[] = [];
  if (left.size > 0) for await (const scheduler of schedulersIn(manager)) schedulers.push(scheduler);
  return markedRetries(retries, (retry) => left.has(retry), schedulers);
}

/** The same of what is known. `isLeft`: whether the process that was to make an attempt is gone. */
export function markedRetries(
  retries: readonly PendingRetry[],
  isLeft: (retry: PendingRetry) => boolean,
  schedulers: readonly SchedulerView[],
): Retry[] {
  // A living scheduler of the name takes it over.
  const isOrphaned = (retry: PendingRetry): boolean =>
    isLeft(retry) && !schedulers.some(({ schedules }) => schedules.has(retry.name));
  return retries
    .map((retry): Retry => (isOrphaned(retry) ? { ...retry, orphaned: true } : retry))
    .sort((a, b) => a.due - b.due || (a.name < b.name ? -1 : 1));
}
