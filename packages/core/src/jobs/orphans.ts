import type { Channel } from "../channel/channel.js";
import type { Entry } from "../channel/types.js";
import type { LockValue } from "../locks/entries.js";
import type { Locks } from "../locks/locks.js";
import { names } from "./history.js";
import { closeOpen, fenceOf, recordKey } from "./record.js";
import { runOf } from "./start.js";
import type { RunRecord } from "./types.js";

/** How far back the record of a run is looked for where its lock does not lead to it. */
const NEWEST = 10;

/**
 * Closes the run that a lock was held for: exactly one of all who find it does. The record is found by the start time that the lock
 * tells, or, where another process had taken that millisecond, among the newest of the name; its fence says that it is the one.
 */
export async function closeRunOf(
  jobs: Channel<RunRecord>,
  lock: Pick<Entry<LockValue>, "value" | "version">,
  close: { readonly endTime: number; readonly status: "lost" | "cancelled"; readonly error: string },
): Promise<RunRecord | undefined> {
  const { name } = lock.value;
  const { endTime, ...ending } = close;
  const startTime = runOf(lock.value);
  const told = startTime === undefined ? undefined : await jobs.entry(recordKey(name, startTime));
  if (told !== undefined && fenceOf(told) === lock.version) return closeOpen(jobs, told.key, endTime, ending);
  for await (const entry of jobs.entries({ prefix: { name }, reverse: true, limit: NEWEST })) {
    if (fenceOf(entry) === lock.version) return closeOpen(jobs, entry.key, endTime, ending);
  }
  return undefined;
}

/** Why a record is closed as lost, in its own words. */
export function lostText(holder: { readonly host: string; readonly pid: number }): string {
  return `its process (${holder.host}, pid ${holder.pid}) ended without closing the run`;
}

/**
 * Closes records that are open although no lock is held for them: the locks were kept elsewhere and are gone. Only the newest of a name can be
 * such a one.
 */
export async function closeStrays(
  jobs: Channel<RunRecord>,
  locks: Locks,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  for await (const name of names(jobs, signal)) {
    for await (const entry of jobs.entries({ prefix: { name }, reverse: true, limit: 1, signal })) {
      if (entry.value.status !== "running") continue;
      const fence = fenceOf(entry);
      // In this order: a run that ends meanwhile closes its record before its lock is free.
      if ((await locks.find(name))?.fence === fence) continue;
      await closeOpen(jobs, entry.key, now(), { status: "lost", error: lostText(entry.value.holder) });
    }
  }
}
