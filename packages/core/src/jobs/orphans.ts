import type { Channel } from "../channel/channel.js";
import type { Entry, Key, WriteOutcome } from "../channel/types.js";
import { type LocksValue, type LockValue, lockKey } from "../locks/entries.js";
import { isForeign, unlessForeign } from "../locks/foreign.js";
import type { Locks } from "../locks/locks.js";
import { visible } from "../visible.js";
import { names } from "./history.js";
import { isOverwritten, isRecord, records, recordUnder } from "./read.js";
import { closed, closeOpen, fenceOf, recordKey, startedRecord } from "./record.js";
import { runOf } from "./start.js";
import type { RunRecord } from "./types.js";

/** How far back the record of a run is looked for where its lock does not lead to it. */
const NEWEST = 10;

/** How widely a store is shared. */
const REACH = { process: 0, host: 1, network: 2 };

/** By how much the clocks of two machines may differ, in ms. */
const DAY = 86_400_000;

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
  const told = startTime === undefined ? undefined : await recordUnder(jobs, recordKey(name, startTime));
  if (told !== undefined && fenceOf(told) === fence) return told;
  for await (const entry of records(jobs, { prefix: { name }, reverse: true, limit: NEWEST })) {
    if (fenceOf(entry) === fence) return entry;
  }
  return undefined;
}

/** Where the locks are and the records of the runs that they are held for. */
export interface RunStores {
  readonly jobs: Channel<RunRecord>;
  readonly locks: Channel<LocksValue>;
}

/**
 * Closes the run that a lock was held for: exactly one of all who find it does. Where it has no record yet, in a store apart from the locks, one
 * is written in its place: the run's own, still under way, is refused then, and stays not open for ever without a lock that leads to it.
 */
export async function closeRunOf(
  { jobs, locks }: RunStores,
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
    const key = recordKey(name, startTime);
    // Somebody wrote over the record: there is nothing to close, and the lock must not stay for that.
    if (await isOverwritten(jobs, key)) return undefined;
    const outcome = await writeInPlace({ jobs, locks }, lock, key, record);
    if (outcome === "lock gone") return undefined;
    if (outcome.ok) return record;
    const { current } = outcome;
    if (current !== undefined && isRecord(current) && fenceOf(current) !== lock.version) return undefined;
  }
}

/**
 * Writes a record where there is none. In one store, a run writes its lock and its record in one step. If the record
 * is missing though the lock was seen, the run has ended since, and the store lost or pruned its record. So the lock
 * must still be there.
 */
async function writeInPlace(
  { jobs, locks }: RunStores,
  lock: Pick<Entry<LockValue>, "value" | "version">,
  key: Key,
  record: RunRecord,
): Promise<WriteOutcome<RunRecord> | "lock gone"> {
  if (!locks.joins(jobs as Channel<unknown>)) return jobs.compareAndSet(key, null, record);
  const isHeld = { check: lockKey(lock.value.name), version: lock.version };
  const put = [
    { check: key, version: null },
    { put: key, value: record },
  ];
  // What somebody wrote over either of them is no lock, or no record, any more.
  const result = await unlessForeign(locks.commitWith<RunRecord>([isHeld], jobs, put));
  if (result?.ok === true) return result;
  const refused = result?.failed.find(({ index }) => index === 1);
  if (refused === undefined || result?.failed[0]?.index === 0) return "lock gone";
  return { ok: false, ...(refused.current && { current: refused.current as Entry<RunRecord> }) };
}

/** Why a record is closed as lost, in its own words. */
export function lostText(holder: { readonly host: string; readonly pid: number }): string {
  return `its process (${visible(holder.host)}, pid ${holder.pid}) ended, or fell silent, without closing the run`;
}

/**
 * Closes records that are open although no lock is held for them: the locks were kept elsewhere and are gone. Looks at the newest of each
 * name. A run that just begins is safe: its lock is there before its record, and as long as that is open.
 *
 * Whose own locks others cannot see cannot see theirs either: such a one closes only what must be over by its timeout, whatever their clocks say.
 */
export async function closeStrays(
  jobs: Channel<RunRecord>,
  locks: Locks,
  now: () => number,
  signal: AbortSignal,
  goesOn: () => Promise<boolean>,
): Promise<void> {
  const all = seesAll(jobs, locks);
  for await (const name of names(jobs, signal)) {
    if (!(await goesOn())) return;
    for await (const { key, value, version } of records(jobs, {
      prefix: { name },
      reverse: true,
      limit: NEWEST,
      signal,
    })) {
      if (value.status !== "running") continue;
      if (!all && now() < value.startTime + value.timeout + DAY) continue;
      // In this order: a run that ends meanwhile closes its record before its lock is free.
      if (await mayHold(locks, name, fenceOf({ value, version }))) continue;
      await closeOpen(jobs, key, now(), { status: "lost", error: lostText(value.holder) });
    }
  }
}

/** Whether nobody can hold a lock for a run in `jobs` that cannot be seen in `locks`. */
export function seesAll(jobs: Channel<RunRecord>, { channel }: Locks): boolean {
  return REACH[channel.supports.shared] >= REACH[jobs.supports.shared];
}

/** Whether a name is locked by this fence, or by what cannot be read: a store that is damaged must not end runs that go on. */
async function mayHold({ channel }: Locks, name: string, fence: string | undefined): Promise<boolean> {
  try {
    const lock = await channel.entry(lockKey(name));
    return lock !== undefined && lock.version === fence;
  } catch (error) {
    if (!isForeign(error)) throw error;
    return true;
  }
}
