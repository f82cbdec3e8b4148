import type { Channel } from "../../channel/channel.js";
import { isCorrupt, unlessCorrupt } from "../../channel/corrupt.js";
import { compareVersions } from "../../channel/encoding/version.js";
import type { Key, Op, Version } from "../../channel/types.js";
import { type LocksValue, lockKey } from "../../locks/entries/schema.js";
import { isLock } from "../../locks/entries/valid.js";
import { fieldsOf, isText, isTime } from "../../util/shape.js";
import type { SeenValue } from "../channels.js";
import { operatorPart } from "../operator-part.js";
import { nextAttempt, pendingOp } from "../retry/pending.js";
import type { RunRecord } from "../types.js";
import { isRunOf, lostText } from "./orphans.js";
import { records, recordsUnder } from "./read.js";
import { closeOpen, fenceOf, lockOf, recordKeyOf } from "./record.js";
import { BEGIN_OF_TIME, type IndexedRef, type RecordRef, type Upkeep } from "./time-index.js";

/** How many of the newest records of each name are searched where there is no index. */
const NEWEST = 10;

/** How many entries of the index, and how many records, are read at once. */
const PAGE = 500;
const AT_ONCE = 100;

/** How widely a store is shared, as an order. */
const SHARING = { process: 0, host: 1, network: 2 };

const DAY = 86_400_000;

/** The inputs of a check. */
export interface OrphanSearch extends Upkeep {
  readonly locks: Channel<LocksValue>;
  now(): number;
}

/**
 * Closes open records without a lock: the locks were in another store and are gone. A run that is starting is
 * safe: it has its lock before and while its record is open.
 *
 * Checks the records that were written since the last check, and the runs that were open then. Once a day it
 * checks all records: the clock of a machine may be wrong by more than {@link MARGIN}.
 *
 * Locks in memory cannot prove that another process's run is dead: a process that cannot see all locks closes
 * a run only a day after its timeout.
 *
 * @returns the result of the check; `undefined` if another process has taken over
 */
export async function closeOrphans(
  search: OrphanSearch,
  seen: SeenValue | undefined,
): Promise<Omit<SeenValue, "due"> | undefined> {
  const until = search.now();
  const version = await markBegin(search.turns, until);
  const usable = seen === undefined || isFullLookDue(seen, until) ? undefined : seen;
  const open = (await search.index.isComplete()) ? await closeSince(search, usable) : await closeOfNames(search);
  return open && seenNow(open, { until, version, full: usable?.full ?? until });
}

async function closeSince(search: OrphanSearch, seen: SeenValue | undefined): Promise<RecordRef[] | undefined> {
  const { index, signal, mayContinue } = search;
  const { version = "0", open: before = [] } = seen ?? {};
  const refs = before.map(([startTime, name]) => ({ startTime, name }));
  const open = await stillOpen(search, refs);
  let after: RecordRef | number = seen === undefined ? BEGIN_OF_TIME : seen.until - MARGIN;
  for (;;) {
    if (!(await mayContinue())) return undefined;
    const page: IndexedRef[] = await index.refs({ after, limit: PAGE, signal });
    // Compare versions, which the store orders. Start times come from the clocks of several machines.
    open.push(
      ...(await stillOpen(
        search,
        page.filter((ref) => compareVersions(ref.version, version) > 0),
      )),
    );
    after = page.at(-1) ?? after;
    if (page.length < PAGE) return open;
  }
}

/** Without an index: checks the newest records of each name. */
async function closeOfNames(search: OrphanSearch): Promise<RecordRef[] | undefined> {
  const { jobs, signal, mayContinue } = search;
  const { jobNames } = await operatorPart();
  for await (const name of jobNames(jobs, signal)) {
    if (!(await mayContinue())) return undefined;
    const newest = { prefix: { name }, reverse: true, limit: NEWEST, signal };
    for await (const { key, value, version } of records(jobs, newest))
      await closeIfOrphan(search, { key, value, version });
  }
  return [];
}

/** Closes the orphans among these records. Resolves to those that are open and have a lock. */
async function stillOpen(search: OrphanSearch, refs: readonly RecordRef[]): Promise<RecordRef[]> {
  const open: RecordRef[] = [];
  for (let i = 0; i < refs.length; i += AT_ONCE) {
    const some = refs.slice(i, i + AT_ONCE);
    const entries = await recordsUnder(search.jobs, some.map(recordKeyOf));
    for (const [at, entry] of entries.entries()) {
      const ref = some[at];
      if (entry === undefined || ref === undefined || entry.value.status !== "running") continue;
      if (!(await closeIfOrphan(search, entry))) open.push(ref);
    }
  }
  return open;
}

/** Closes a record that is open without a lock. Resolves to whether the record is closed now. */
async function closeIfOrphan(
  { jobs, locks, index, now }: OrphanSearch,
  { key, value, version }: { readonly key: Key; readonly value: RunRecord; readonly version: string },
): Promise<boolean> {
  if (value.status !== "running") return true;
  if (!seesAll(jobs, locks) && now() < value.startTime + value.timeout + DAY) return false;
  // Read the lock after the record: a run that ends meanwhile closes its record before its lock is free.
  if (await mayHold(locks, { value, version })) return false;
  const lost = await closeOpen({ jobs, index }, key, now(), { status: "lost", error: lostText(value.holder) });
  const next = lost && nextAttempt(lost, undefined);
  if (next !== undefined) {
    const isFree: Op<unknown> = { check: lockKey(lockOf(value)), version: null };
    await unlessCorrupt((locks as Channel<unknown>).commit([isFree, pendingOp(next, now())]));
  }
  return true;
}

/** Whether `locks` shows every lock that can be held for a run in `jobs`. */
export function seesAll(jobs: Channel<RunRecord>, locks: Channel<LocksValue>): boolean {
  return SHARING[locks.supports.shared] >= SHARING[jobs.supports.shared];
}

/** Whether a run has its lock. A corrupt lock counts: damage in the store must not end living runs. */
async function mayHold(
  channel: Channel<LocksValue>,
  run: { readonly value: RunRecord; readonly version: string },
): Promise<boolean> {
  try {
    const name = lockOf(run.value);
    const lock = await channel.entry(lockKey(name));
    if (lock === undefined) return false;
    if (!isLock(lock.value, name)) return lock.version === fenceOf(run);
    return isRunOf(run, { ...lock.value, fence: lock.version });
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return true;
  }
}

/** How late a check may be before another process makes it, as a multiple of `ttl`. */
const LATE = 3;

/** The most open runs that are remembered from one check to the next. */
const MOST_OPEN = 500;

/** Up to this difference of clocks, in ms, each check finds every record. Beyond it, only a full one does. */
const MARGIN: number = DAY;

export const SEEN: Key = "seen";
export const LOOK: Key = "look";

/** The result of the last check; `undefined` if there is none, or another program overwrote it. */
export async function readSeen(channel: Channel<unknown>): Promise<SeenValue | undefined> {
  return seenIn(await unlessCorrupt(channel.get(SEEN)));
}

/** The result of the last check, from its entry; `undefined` if that is damaged. */
export function seenIn(value: unknown): SeenValue | undefined {
  const { until, version, full, open, due } = fieldsOf<SeenValue>(value) ?? {};
  if (!isTime(until) || !isTime(full) || !isTime(due)) return undefined;
  if (!isText(version) || !/^\d+$/.test(version) || !Array.isArray(open)) return undefined;
  const isRef = (ref: unknown): boolean => Array.isArray(ref) && isTime(ref[0]) && isText(ref[1]);
  return open.every(isRef) ? { until, version, full, open, due } : undefined;
}

export async function writeSeen(channel: Channel<unknown>, seen: SeenValue): Promise<void> {
  await channel.set(SEEN, seen);
}

/** Whether the checks seem to have stopped: the next one is late, or its time comes from a wrong clock. */
export function isStale(seen: SeenValue | undefined, now: number, ttl: number): boolean {
  return seen === undefined || now > seen.due + LATE * ttl || now < seen.due - DAY;
}

/** Whether to read all records: the last such check is a day old, or the clock was set back since. */
function isFullLookDue({ until, full }: SeenValue, now: number): boolean {
  return now < until || now < full || now >= full + DAY;
}

/** The result of a check that began at `until`. `open`: the runs that are open and have a lock. */
function seenNow(
  open: readonly RecordRef[],
  { until, version, full }: Pick<SeenValue, "until" | "version" | "full">,
): Omit<SeenValue, "due"> {
  if (open.length <= MOST_OPEN)
    return { until, version, full, open: open.map(({ startTime, name }) => [startTime, name]) };
  // These are too many to remember. Instead, the next check reads every record from the oldest of them on.
  const oldest = open.reduce((least, { startTime }) => Math.min(least, startTime), until);
  return { until: oldest, version: "0", full, open: [] };
}

/** Marks the start of a check. Every later write has a higher version than the result. */
async function markBegin(channel: Channel<unknown>, at: number): Promise<Version> {
  return channel.set(LOOK, at);
}
