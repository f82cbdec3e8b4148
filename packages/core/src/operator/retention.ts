import type { Channel } from "../channel/channel.js";
import { isCorrupt } from "../channel/corrupt.js";
import type { CallOptions, Entry } from "../channel/types.js";
import type { LogsValue } from "../jobs/logs/chunk.js";
import { type Logs, pruneLogs } from "../jobs/logs/logs.js";
import { runOf } from "../jobs/records/orphans.js";
import { isRecordKey, records, recordsUnder } from "../jobs/records/read.js";
import { lockOf, recordKey, recordKeyOf } from "../jobs/records/record.js";
import type { RecordRef, TimeIndex, Upkeep } from "../jobs/records/time-index.js";
import { retryKey } from "../jobs/retry/pending.js";
import type { PruneOptions, RetentionOptions, RunRecord } from "../jobs/types.js";
import { type LocksValue, type LockValue, lockKey } from "../locks/entries/schema.js";
import type { Clock } from "../util/clock.js";
import type { InMs } from "../util/duration.js";
import { jobNames } from "./history.js";
import { pruneRollups, pruneSpan } from "./rollups/prune-rollups.js";

/** How long one round deletes, in ms. The next round continues: a long pass must not block the store. */
const BUDGET = 1_000;

/** How many entries of the index are read at once. */
const PAGE = 500;

export type Terms = Required<InMs<RetentionOptions>>;

/** The progress of a pass. */
export interface PassValue {
  /** When it began, in ms since 1970. */
  readonly began: number;
  /** Everything up to this ref is done. Absent: nothing is. */
  readonly after?: RecordRef;
  readonly isOver: boolean;
}

type PassProgress = Omit<PassValue, "began">;

/** The inputs of a pass. */
export interface Retaining extends Upkeep {
  readonly locks: Channel<LocksValue>;
  readonly logs: Logs;
  readonly clock: Clock;
}

/** The inputs of a round. */
interface Round extends Retaining, Terms {
  readonly now: number;
  /** A pass begins once in such a day, in ms. */
  readonly day: number;
}

interface Pruning extends Retaining, Terms {
  readonly cutoff: number;
  /** When this round stops, by the monotonic clock. */
  readonly until: number;
}

/** One round of a pass. Resolves to the new progress; `undefined` if another process has taken over. */
export async function pruneRound(round: Round, resumed: RecordRef | undefined): Promise<PassProgress | undefined> {
  const cutoff = await cutoffOf(round);
  if (cutoff === undefined) return { isOver: true };
  return pruneTo({ ...round, cutoff, until: round.clock.monotonic() + BUDGET }, resumed);
}

/**
 * Runs that began before this time may be deleted; `undefined` if there are none.
 *
 * A process whose wall clock is a year ahead must not delete the history. So a run must be older than
 * `olderThan` by the clock, and by the history too: since then, runs must have begun on as many days. A wrong
 * clock adds one day to the history for each day on which it was wrong.
 */
async function cutoffOf({ index, now, day, olderThan, signal }: Round): Promise<number | undefined> {
  let before = now;
  for (let left = Math.ceil(olderThan / day); left > 0; left--) {
    const [newest] = await index.refs({ before, reverse: true, limit: 1, signal });
    if (newest === undefined) return undefined;
    before = Math.floor(newest.startTime / day) * day;
  }
  return Math.min(before, now - olderThan);
}

/** Resolves to the new progress; `undefined` if another process has taken over. */
async function pruneTo(pruning: Pruning, resumed: RecordRef | undefined): Promise<PassProgress | undefined> {
  const { jobs, index, cutoff, clock, until, signal, mayContinue } = pruning;
  const done = new Set<string>();
  let after = resumed;
  const soFar = (): PassProgress => ({ isOver: false, ...(after && { after }) });
  for (;;) {
    const page: RecordRef[] = await index.refs({ before: cutoff, limit: PAGE, signal, ...(after && { after }) });
    for (const { name, startTime } of page) {
      if (!done.has(name)) {
        if (!(await mayContinue())) return undefined;
        if (!(await pruneName(pruning, name))) return soFar();
        done.add(name);
      }
      after = { name, startTime };
    }
    if (page.length < PAGE) break;
    if (clock.monotonic() >= until) return soFar();
  }
  // The minutes of the hours are pruned as always. The hours of the days stay: the long-term history.
  const oldest = new Map<string, number | undefined>();
  const oldestOf = async (name: string): Promise<number | undefined> => {
    if (!oldest.has(name)) oldest.set(name, await oldestStart(jobs, name));
    return oldest.get(name);
  };
  await pruneSpan(index.channel, "hour", { cutoff, name: undefined, oldest: oldestOf }, { signal });
  return { isOver: true };
}

async function oldestStart(jobs: Channel<RunRecord>, name: string): Promise<number | undefined> {
  for await (const { key } of jobs.keys({ prefix: { name } })) if (isRecordKey(key)) return key.startTime;
  return undefined;
}

/** Deletes the old records of a name. Resolves to whether it reached the end. */
async function pruneName(pruning: Pruning, name: string): Promise<boolean> {
  const { jobs, cutoff, keep, clock, until, signal } = pruning;
  const most = mostAtOnce(pruning);
  let left = Math.max(1, keep);
  let before = cutoff;
  for await (const { value } of records(jobs, { prefix: { name }, reverse: true, limit: left, signal })) {
    left--;
    before = Math.min(cutoff, value.startTime);
  }
  if (left > 0) return true;
  let batch: RunRecord[] = [];
  for await (const { value } of records(jobs, { prefix: { name }, before: recordKey(name, before), signal })) {
    if (isOld(value, cutoff)) batch.push(value);
    if (batch.length < most) continue;
    if (!(await removeOver(pruning, name, batch)) || clock.monotonic() >= until) return false;
    batch = [];
  }
  return removeOver(pruning, name, batch);
}

/**
 * Deletes those of these records whose retry series is over. Resolves to whether this process has the turn.
 */
async function removeOver(
  { locks, logs, mayContinue, signal, ...stores }: Pruning,
  name: string,
  batch: readonly RunRecord[],
): Promise<boolean> {
  const isOver = await chainsOver(locks, name, batch);
  const over = batch.filter(isOver);
  if (over.length === 0) return true;
  if (!(await mayContinue())) return false;
  await remove({ ...stores, logs: (await logs.open()).channel, options: { signal } }, over, []);
  return true;
}

const chainOf = ({ chain, id }: RunRecord): string => chain ?? id;

/**
 * Which of these records belong to a retry series that is over: no attempt of it is pending or running. Until
 * it is over, a series is in exactly one of two entries. One call reads both: it must not move from one to
 * the other in between.
 */
async function chainsOver(
  locks: Channel<LocksValue>,
  name: string,
  batch: readonly RunRecord[],
): Promise<(record: RunRecord) => boolean> {
  // No attempt follows a completed one.
  const isLast = ({ status }: RunRecord): boolean => status === "completed";
  const chains = [...new Set(batch.filter((record) => !isLast(record)).map(chainOf))];
  if (chains.length === 0) return isLast;
  // All attempts of a series have the same lock.
  const names = [...new Set(batch.map(lockOf))];
  try {
    const keys = [...names.map(lockKey), ...chains.map((chain) => retryKey(name, chain))];
    const entries = await locks.entriesUnder(keys);
    const held = entries.slice(0, names.length) as (Entry<LockValue> | undefined)[];
    const running = new Set(held.map((lock) => lock && runOf(lock.value).chain));
    const open = new Set(chains.filter((chain, i) => entries[names.length + i] !== undefined || running.has(chain)));
    return (record) => isLast(record) || !open.has(chainOf(record));
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return isLast;
  }
}

/** The most records of one commit. */
const PRUNED_AT_ONCE = 200;

/** The stores that a prune deletes from. */
interface PrunedStores {
  readonly jobs: Channel<RunRecord>;
  readonly index: TimeIndex;
  /** The logs of the runs, which are deleted with their records. */
  readonly logs: Channel<LogsValue>;
}

interface PrunePass extends PrunedStores {
  /** Deletes the records of runs that ended before this time, in ms since 1970. */
  readonly cutoff: number;
  readonly options: CallOptions;
  /** The oldest remaining record of each name, as far as the prune found one. */
  readonly oldest: Map<string, number>;
}

/** Deletes the records of runs that ended long ago. Resolves to their number. */
export async function prune(
  stores: PrunedStores,
  now: number,
  { olderThan, name, keep = 0, signal }: InMs<PruneOptions>,
): Promise<number> {
  const { index } = stores;
  const options = signal === undefined ? {} : { signal };
  const pruning: PrunePass = { ...stores, cutoff: now - olderThan, options, oldest: new Map() };
  const most = mostAtOnce(stores);
  const byTime = name === undefined && keep === 0 && (await index.isComplete());
  const removed = await (byTime ? pruneByTime(pruning, most) : pruneByName(pruning, most, { name, keep }));
  const oldest = (of: string): number | undefined => pruning.oldest.get(of);
  await pruneRollups(index.channel, { cutoff: pruning.cutoff, name, oldest }, options);
  return removed;
}

/** The most records that one commit deletes: each goes with its entries in the index, up to four ops. */
function mostAtOnce({ jobs, index }: Pick<PrunedStores, "jobs" | "index">): number {
  return Math.max(1, Math.min(PRUNED_AT_ONCE, Math.floor(jobs.supports.maxOps / (index.kept ? 4 : 1))));
}

/** Notes a remaining record. */
function leave({ oldest }: PrunePass, { name, startTime }: RecordRef): void {
  oldest.set(name, Math.min(startTime, oldest.get(name) ?? startTime));
}

async function pruneByTime(pruning: PrunePass, most: number): Promise<number> {
  const { jobs, index, cutoff, options } = pruning;
  let removed = 0;
  let after: RecordRef | undefined;
  for (;;) {
    const range = { before: cutoff, limit: most, signal: options.signal, ...(after && { after }) };
    const refs: RecordRef[] = await index.refs(range);
    const entries = await recordsUnder(jobs, refs.map(recordKeyOf));
    const old = entries.flatMap((entry) => (entry !== undefined && isOld(entry.value, cutoff) ? [entry.value] : []));
    // Another program deleted or overwrote these records. Each further prune would read them again.
    const gone = refs.filter((_, i) => entries[i] === undefined);
    for (const entry of entries) if (entry !== undefined && !isOld(entry.value, cutoff)) leave(pruning, entry.value);
    await remove(pruning, old, gone);
    removed += old.length;
    if (refs.length < most) return removed;
    after = refs.at(-1);
  }
}

async function pruneByName(
  pruning: PrunePass,
  most: number,
  { name: only, keep }: { readonly name: string | undefined; readonly keep: number },
): Promise<number> {
  const { jobs, cutoff, options } = pruning;
  let removed = 0;
  let batch: RunRecord[] = [];
  const flush = async (): Promise<void> => {
    await remove(pruning, batch, []);
    removed += batch.length;
    batch = [];
  };
  for await (const name of only === undefined ? jobNames(jobs, options.signal) : [only]) {
    let newer = 0;
    for await (const { value } of records(jobs, { prefix: { name }, reverse: true, ...options })) {
      if (newer++ < keep || !isOld(value, cutoff)) {
        leave(pruning, value);
        continue;
      }
      batch.push(value);
      if (batch.length >= most) await flush();
    }
  }
  await flush();
  return removed;
}

/**
 * Deletes records and their logs. `gone`: refs of the index without a record.
 *
 * No check is needed: a closed record is never written again.
 */
async function remove(
  { jobs, index, logs, options }: PrunedStores & Pick<PrunePass, "options">,
  old: readonly RunRecord[],
  gone: readonly RecordRef[],
): Promise<void> {
  if (old.length + gone.length === 0) return;
  const deletes = old.map(({ name, startTime }) => ({ delete: recordKey(name, startTime) }));
  const indexed = index.remove([...old, ...gone]);
  const ops = deletes.length + indexed.reduce((count, one) => count + one.ops.length, 0);
  const room = jobs.joins(logs as Channel<unknown>) ? jobs.supports.maxOps - ops : 0;
  const logged = await pruneLogs(logs, [...old, ...gone], room, options);
  await jobs.commitWith<unknown[]>(deletes, [...indexed, ...logged], options);
}

/** Whether a run ended before this time. */
function isOld({ endTime }: RunRecord, cutoff: number): boolean {
  return endTime !== undefined && endTime < cutoff;
}
