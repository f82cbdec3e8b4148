import type { Channel } from "../channel/channel.js";
import type { Entry } from "../channel/types.js";
import type { LockValue } from "../locks/entries.js";
import type { Locks } from "../locks/locks.js";
import { names } from "./history.js";
import { closed, closeOpen, fenceOf, recordKey, startedRecord } from "./record.js";
import { runOf } from "./start.js";
import type { RunRecord } from "./types.js";

/** How far back the record of a run is looked for where its lock does not lead to it. */
const NEWEST = 10;

/**
 * The record of the run that a lock is held for: under the start time that the lock tells, or, where another process had taken that
 * millisecond, among the newest of the name; its fence says that it is the one.
 */
export async function recordOf(
  jobs: Channel<RunRecord>,
  lock: { readonly name: string; readonly fence: string; readonly note?: unknown },
): Promise<Entry<RunRecord> | undefined> {
  const { name, fence } = lock;
  const { startTime } = runOf(lock);
  const told = startTime === undefined ? undefined : await jobs.entry(recordKey(name, startTime));
  if (told !== undefined && fenceOf(told) === fence) return told;
  for await (const entry of jobs.entries({ prefix: { name }, reverse: true, limit: NEWEST })) {
    if (fenceOf(entry) === fence) return entry;
  }
  return undefined;
}

/**
 * Closes the run that a lock was held for: exactly one of all who find it does. Where it has no record yet, in a store apart from the locks, one
 * is written in its place: the run's own, still under way, is refused then, and stays not open for ever without a lock that leads to it.
 */
export async function closeRunOf(
  jobs: Channel<RunRecord>,
  lock: Pick<Entry<LockValue>, "value" | "version">,
  close: { readonly endTime: number; readonly status: "lost" | "cancelled" | "timeout"; readonly error: string },
): Promise<RunRecord | undefined> {
  const { endTime, ...ending } = close;
  for (;;) {
    const entry = await recordOf(jobs, { ...lock.value, fence: lock.version });
    if (entry !== undefined) return closeOpen(jobs, entry.key, endTime, ending);
    const { startTime, tick } = runOf(lock.value);
    if (startTime === undefined) return undefined;
    const { name, holder, timeout } = lock.value;
    const open = startedRecord({ name, startTime, holder, timeout, tick, trigger: "unknown" });
    const record = closed(open, lock.version, endTime, ending);
    const outcome = await jobs.compareAndSet(recordKey(name, startTime), null, record);
    if (outcome.ok) return record;
    if (outcome.current !== undefined && fenceOf(outcome.current) !== lock.version) return undefined;
  }
}

/** Why a record is closed as lost, in its own words. */
export function lostText(holder: { readonly host: string; readonly pid: number }): string {
  return `its process (${holder.host}, pid ${holder.pid}) ended, or fell silent, without closing the run`;
}

/**
 * Closes records that are open although no lock is held for them: the locks were kept elsewhere and are gone. Looks at the newest of each
 * name. A run that just begins is safe: its lock is there before its record, and as long as that is open.
 */
export async function closeStrays(
  jobs: Channel<RunRecord>,
  locks: Locks,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  for await (const name of names(jobs, signal)) {
    for await (const entry of jobs.entries({ prefix: { name }, reverse: true, limit: NEWEST, signal })) {
      if (entry.value.status !== "running") continue;
      const fence = fenceOf(entry);
      // In this order: a run that ends meanwhile closes its record before its lock is free.
      if ((await locks.find(name))?.fence === fence) continue;
      await closeOpen(jobs, entry.key, now(), { status: "lost", error: lostText(entry.value.holder) });
    }
  }
}
