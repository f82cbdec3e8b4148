import { failedCheck } from "../../channel/calls.js";
import type { Channel, ChannelOps } from "../../channel/channel.js";
import { unlessCorrupt } from "../../channel/corrupt.js";
import type { Entry, Key, Op, WriteOutcome } from "../../channel/types.js";
import { type LocksValue, type LockValue, lockKey } from "../../locks/entries/schema.js";
import { whom } from "../../locks/entries/view.js";
import { fieldsOf, isCount, isSpan, isText, isTime } from "../../util/shape.js";
import { runEnded } from "../events.js";
import { isStored, madeUpFor, nextAttempt, pendingOp, retryKey } from "../retry/pending.js";
import { hasPolicyFields } from "../retry/policy.js";
import { forgetPermits } from "../run/permit-entries.js";
import { runId } from "../run-id.js";
import type { PendingRetry, RunRecord } from "../types.js";
import { isOverwritten, isRecord, records, recordsUnder, recordUnder } from "./read.js";
import {
  closed,
  closeOpen,
  type Ending,
  type Extras,
  fenceOf,
  lockOf,
  recordKey,
  recordKeyOf,
  startedRecord,
} from "./record.js";
import type { TimeIndex } from "./time-index.js";

/** How many of the newest records are searched if the lock does not lead to its record. */
const NEWEST = 10;

/** The fields of a lock that identify its run. */
type LockOfRun = Pick<LockValue, "name" | "holder"> & { readonly fence: string; readonly note?: unknown };

/**
 * The record of the run that holds a lock.
 *
 * It is under the start time in the note of the lock. If another process had taken that start time, it is
 * among the newest records of the name. Its fence proves that it is the right one.
 */
export async function recordOf(jobs: Channel<RunRecord>, lock: LockOfRun): Promise<Entry<RunRecord> | undefined> {
  const { fence } = lock;
  const { name, startTime } = runOf(lock);
  const noted = startTime === undefined ? undefined : await recordUnder(jobs, recordKey(name, startTime));
  if (noted !== undefined && isRunOf(noted, lock)) return withFence(noted, lock);
  for await (const entry of records(jobs, { prefix: { name }, reverse: true, limit: NEWEST })) {
    if (fenceOf(entry) === fence) return entry;
  }
  return undefined;
}

/**
 * Whether a record belongs to the run that holds a lock. A program that writes an open record back changes
 * its version, which is then no longer the fence. The note of the lock and its holder prove it instead.
 */
export function isRunOf(entry: Pick<Entry<RunRecord>, "value" | "version">, lock: LockOfRun): boolean {
  if (fenceOf(entry) === lock.fence) return true;
  const { status, name, startTime, holder } = entry.value;
  const run = runOf(lock);
  // With two stores, another run of the name may have taken the start time that the note has.
  const isNoted = run.startTime === startTime && run.name === name && lockOf(entry.value) === lock.name;
  return status === "running" && isNoted && lock.holder.instance === holder.instance;
}

function withFence(entry: Entry<RunRecord>, { fence }: LockOfRun): Entry<RunRecord> {
  return fenceOf(entry) === fence ? entry : { ...entry, value: { ...entry.value, fence } };
}

/** The same for several locks. */
export async function recordsOf(
  jobs: Channel<RunRecord>,
  locks: readonly LockOfRun[],
): Promise<(Entry<RunRecord> | undefined)[]> {
  // A lock without a note has the time 0 as a placeholder: only a record with its fence counts there.
  const keys = locks.map((lock) => {
    const { name, startTime = 0 } = runOf(lock);
    return recordKey(name, startTime);
  });
  const entries = await recordsUnder(jobs, keys);
  return Promise.all(
    locks.map((lock, i) => {
      const entry = entries[i];
      return entry !== undefined && isRunOf(entry, lock) ? withFence(entry, lock) : recordOf(jobs, lock);
    }),
  );
}

/** The channels of the locks and of the records, and the index of the records. */
export interface RunStores {
  readonly jobs: Channel<RunRecord>;
  readonly locks: Channel<LocksValue>;
  readonly index: TimeIndex;
}

/**
 * Closes the run that held a lock. Exactly one of several callers does.
 *
 * With two stores the record may not exist yet. Then this writes a closed record in its place, so that the
 * write of the run, which is still under way, fails. Otherwise that write would leave an open record without
 * a lock, which no process would find.
 *
 * `isUnused`: the process of the lock lives, and never began the run.
 */
export async function closeRunOf(
  stores: RunStores,
  lock: Pick<Entry<LockValue>, "value" | "version">,
  { isUnused = false, ...close }: Ending & { readonly endTime: number; readonly isUnused?: boolean },
): Promise<RunRecord | undefined> {
  const { retry, schedule, permits } = runOf(lock.value);
  // No caller awaits the run of a schedule, so replace it with another attempt. Do this before the record is
  // closed, because this process may die in between.
  if (isUnused && schedule !== undefined) await makeUpFor(stores, lock, close);
  const record = await closeRecordOf(stores, lock, close);
  // A closed run may lack its next attempt: with two stores, its process may have died between the two.
  if (retry !== undefined || record === undefined) await writeNextAttempt(stores, lock, record, close.endTime);
  if (permits !== undefined) await forgetPermits(stores.locks as Channel<unknown>, permits, lock.version);
  return record;
}

/** Writes the attempt for a run that never began. While its lock exists, no process has made it. */
async function makeUpFor(
  { jobs, locks }: RunStores,
  { value, version }: Pick<Entry<LockValue>, "value" | "version">,
  { endTime, ...ending }: Ending & { readonly endTime: number },
): Promise<void> {
  const found = (await recordOf(jobs, { ...value, fence: version }))?.value ?? openOf(value);
  if (found === undefined) return;
  const next = madeUpFor(closed(found, version, endTime, ending));
  await writeAttempt(locks, { value, version }, next, endTime);
}

/** The record of a lock's run, as far as the lock has its fields; `undefined` if it has no run. */
function openOf(lock: LockValue): RunRecord | undefined {
  const { name, startTime, ...extras } = runOf(lock);
  if (startTime === undefined) return undefined;
  const { holder, timeout } = lock;
  return startedRecord({ name, startTime, holder, timeout, trigger: "unknown" }, extras);
}

/**
 * Writes the next attempt of a closed run, if it is missing. Does nothing if the lock is gone, because the
 * process that removed the lock has written the attempt. A run that was closed earlier is included: the
 * process that closed it may have died before it wrote the attempt.
 */
async function writeNextAttempt(
  { jobs, locks }: RunStores,
  lock: Pick<Entry<LockValue>, "value" | "version">,
  record: RunRecord | undefined,
  now: number,
): Promise<void> {
  const closed = record ?? (await recordOf(jobs, { ...lock.value, fence: lock.version }))?.value;
  const next = closed && nextAttempt(closed, undefined);
  if (next !== undefined) await writeAttempt(locks, lock, next, now);
}

async function writeAttempt(
  locks: Channel<LocksValue>,
  lock: Pick<Entry<LockValue>, "value" | "version">,
  next: PendingRetry,
  now: number,
): Promise<void> {
  const channel = locks as Channel<unknown>;
  const lockCheck: Op<unknown> = { check: lockKey(lock.value.name), version: lock.version };
  const pendingCheck: Op<unknown> = { check: retryKey(next.name, next.chain), version: null };
  const put = pendingOp(next, now);
  // Never replace an existing attempt. A process that waits for it can begin it only at the version that it
  // has read. After a rewrite, its starts would fail until a sweep removes the lock.
  const result = await unlessCorrupt(channel.commit([lockCheck, pendingCheck, put]));
  if (result?.ok === true || (await isStored(channel, next))) return;
  // Either ojm did not write the entry that is there instead, or the lock is gone.
  await unlessCorrupt(channel.commit([lockCheck, put]));
}

async function closeRecordOf(
  stores: RunStores,
  lock: Pick<Entry<LockValue>, "value" | "version">,
  close: Ending & { readonly endTime: number },
): Promise<RunRecord | undefined> {
  const { jobs } = stores;
  const { endTime, ...ending } = close;
  for (;;) {
    const entry = await recordOf(jobs, { ...lock.value, fence: lock.version });
    if (entry !== undefined) return closeOpen(stores, entry.key, endTime, ending, lock.version);
    const open = openOf(lock.value);
    if (open === undefined) return undefined;
    const record = closed(open, lock.version, endTime, ending);
    const key = recordKeyOf(record);
    // Another program overwrote the record. There is nothing to close, and the lock must not stay for that.
    if (await isOverwritten(jobs, key)) return undefined;
    const outcome = await writeInPlace(stores, lock, key, record);
    if (outcome === "lock gone") return undefined;
    if (outcome.ok) {
      runEnded.publish(() => ({ record }));
      return record;
    }
    const { current } = outcome;
    if (current !== undefined && isRecord(current) && fenceOf(current) !== lock.version) return undefined;
  }
}

/**
 * Writes a record where there is none.
 *
 * With one store, a run writes its lock and its record in one commit. If the record is missing although the
 * lock was seen, the run has ended since, and its record was pruned or lost. So the commit checks that the
 * lock is still there.
 */
async function writeInPlace(
  { jobs, locks, index }: RunStores,
  lock: Pick<Entry<LockValue>, "value" | "version">,
  key: Key,
  record: RunRecord,
): Promise<WriteOutcome<RunRecord> | "lock gone"> {
  const put: Op<RunRecord>[] = [
    { check: key, version: null },
    { put: key, value: record },
  ];
  const joined = locks.joins(jobs as Channel<unknown>);
  const lockCheck = { check: lockKey(lock.value.name), version: lock.version };
  // With one store, an overwritten lock or record counts as gone.
  const result = joined
    ? await unlessCorrupt(
        locks.commitWith<unknown[]>(
          [lockCheck],
          [{ channel: jobs, ops: put } as ChannelOps<unknown>, ...index.addClosed(record)],
        ),
      )
    : await jobs.commitWith<unknown[]>(put, index.addClosed(record));
  if (result?.ok === true) return result;
  const failed = result?.failed ?? [];
  const refused = failedCheck(failed, key);
  if (refused === undefined || failedCheck(failed, lockCheck.check) !== undefined) return "lock gone";
  return { ok: false, ...(refused.current && { current: refused.current as Entry<RunRecord> }) };
}

/** The error text of a run that was closed as `lost`. */
export function lostText(holder: { readonly host: string; readonly pid: number }): string {
  return `its process (${whom(holder)}) ended, hung or lost the store, without closing the run`;
}

/** The error text of a run whose process never began it. */
export const NOT_BEGUN = "the store did not answer in time when it was started: its body did not begin";

/** The name of the run that has a lock; that of the lock, if it has none. */
export const jobOf = (lock: Pick<LockValue, "name"> & { readonly note?: unknown }): string => runOf(lock).name;

/** The id of the run that has a lock; `undefined` for a lock without a run. */
export function runIdOf(lock: Pick<LockValue, "name"> & { readonly note?: unknown }): string | undefined {
  const { name, startTime } = runOf(lock);
  return startTime === undefined ? undefined : runId({ name, startTime });
}

/** The run that the note of a lock names, without a start time if the lock has none. */
interface NotedRun extends Extras {
  readonly name: string;
  readonly startTime?: number;
}

/**
 * The name and the start time of the run in the note of a lock, and the optional fields of its record. The
 * note of a run with another name than its lock has them in `of`. A version that does not know this would
 * otherwise look for a run with the name of the lock.
 */
export function runOf(lock: Pick<LockValue, "name"> & { readonly note?: unknown }): NotedRun {
  const note = fieldsOf<{ run: number; of: unknown } & Extras>(lock.note) ?? {};
  const of = fieldsOf<{ name: string; run: number }>(note.of);
  const { permits, rate, schedule, tick, delay, attempt, chain, retry, args } = note;
  const isOther = isText(of?.name) && isTime(of.run);
  const run = isOther ? of.run : note.run;
  return {
    name: isOther ? of.name : lock.name,
    ...(isTime(run) && { startTime: run }),
    ...(isOther && { lock: lock.name }),
    ...(fieldsOf(permits) !== undefined && { permits: permits as NonNullable<Extras["permits"]> }),
    ...(fieldsOf(rate) !== undefined && { rate: rate as NonNullable<Extras["rate"]> }),
    ...(isText(schedule) && { schedule }),
    ...(isTime(tick) && { tick }),
    ...(isSpan(delay) && { delay }),
    ...(isCount(attempt) && { attempt }),
    ...(isText(chain) && { chain }),
    ...(hasPolicyFields(retry) && { retry }),
    ...(fieldsOf(args) !== undefined && { args: args as NonNullable<Extras["args"]> }),
  };
}
