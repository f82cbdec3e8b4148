import type { Channel } from "../channel/channel.js";
import { sameJson } from "../channel/encoding/json.js";
import { ChannelError } from "../channel/errors.js";
import type { EntriesOptions, Key } from "../channel/types.js";
import { isRecordKey, isStatus, RUN_STATUSES, records, recordsUnder } from "../jobs/records/read.js";
import { recordKey, recordKeyOf, toRecord } from "../jobs/records/record.js";
import { BEGIN_OF_TIME, END_OF_TIME, type RecordRef, type TimeIndex } from "../jobs/records/time-index.js";
import type { RunContext } from "../jobs/run/context.js";
import { parseRunId, type RunRef } from "../jobs/run-id.js";
import type { FailedRunsOptions, HistoryOptions, RunRecord, RunStatus } from "../jobs/types.js";
import { all, type Items } from "../util/iterate.js";
import { isText, isTime, present } from "../util/shape.js";
import { startAfter } from "../util/start-time.js";
import { valueText } from "../util/text.js";

/** The statuses that have an index: few runs end like this, and people look for those. */
const IN_ERROR: ReadonlySet<RunStatus> = new Set<RunStatus>(["failed", "timeout", "cancelled", "lost"]);

/** The records that a caller requests, found in the cheapest way that the store offers. */
export async function* selectRecords(
  { jobs, index, clock }: Pick<RunContext, "jobs" | "index" | "clock">,
  options: HistoryOptions,
): Items<RunRecord> {
  const { name, meta } = options;
  const { limit, ...range } = checkRange(options);
  const statuses = statusesOf(options);
  // A filtered query reads on until it has enough.
  const isFiltered = statuses !== undefined || meta !== undefined;
  const asked: HistoryRange = { ...range, limit: isFiltered ? Number.POSITIVE_INFINITY : limit };
  const found = async (): Promise<Items<RunRecord>> => {
    if (typeof name === "string") return historyOf(jobs, name, asked);
    if (name !== undefined) return historyByName(jobs, asked, new Set(name));
    if (!(await index.isComplete())) return historyByName(jobs, asked);
    const areInError = statuses !== undefined && [...statuses].every((status) => IN_ERROR.has(status));
    if (areInError) return historyInError(jobs, index, statuses, asked);
    return historyByTime(jobs, index, clock.now(), asked);
  };
  if (limit === 0) return;
  let left = limit;
  for await (const record of await found()) {
    if (statuses !== undefined && !statuses.has(record.status)) continue;
    if (meta !== undefined && !hasMeta(record, meta)) continue;
    yield record;
    if (--left === 0) return;
  }
}

/** The record of one run; `undefined` if it has none. */
export async function recordAt(
  manager: { history(options: HistoryOptions): AsyncIterable<RunRecord> },
  { name, startTime }: RunRef,
): Promise<RunRecord | undefined> {
  for await (const record of manager.history({ name, from: startTime, to: startAfter(startTime), limit: 1 }))
    return record;
  return undefined;
}

function hasMeta({ meta = {} }: RunRecord, wanted: NonNullable<HistoryOptions["meta"]>): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(meta, key) && sameJson(meta[key], value));
}

export function refuse(what: string): never {
  throw new ChannelError("INVALID_ARGUMENT", what);
}

/**
 * Checks the requested range of records, and fills in the defaults.
 *
 * @throws ChannelError `INVALID_ARGUMENT`
 */
export function checkRange({ from, to, limit, signal, ...more }: HistoryOptions | FailedRunsOptions): HistoryRange {
  const most = limit ?? Number.POSITIVE_INFINITY;
  if (!(most >= 0) || (most !== Number.POSITIVE_INFINITY && !Number.isInteger(most)))
    refuse(`limit is a whole number from 0 up, not ${most}`);
  for (const [field, time] of Object.entries({ from, to })) {
    if (time !== undefined && !isTime(time)) refuse(`${field} is a time in ms since 1970, not ${valueText(time)}`);
  }
  const before = "before" in more && more.before !== undefined ? refOf(more.before) : undefined;
  return { limit: most, ...present({ from, to, before, signal }) };
}

function refOf(run: string | RunRef): RunRef {
  const ref = typeof run === "string" ? parseRunId(run) : run;
  if (!isText(ref?.name) || !isTime(ref.startTime)) {
    return refuse(
      `before is the id of a run, such as "report@2026-11-25T02:00:00.000Z", or its record, not ${valueText(run)}`,
    );
  }
  return ref;
}

function statusesOf({ status }: HistoryOptions): ReadonlySet<RunStatus> | undefined {
  if (status === undefined) return undefined;
  const statuses = typeof status === "string" ? [status] : status;
  for (const one of statuses) {
    if (!isStatus(one)) refuse(`status is one of ${RUN_STATUSES.join(", ")}, not ${valueText(one)}`);
  }
  return new Set(statuses);
}

/** The names that have records. Two reads find the next name, however many records each has. */
export async function* jobNames(jobs: Channel<RunRecord>, signal?: AbortSignal): Items<string> {
  let after: Key | undefined;
  for (;;) {
    const range = after === undefined ? {} : { after };
    let found: Key | undefined;
    for await (const { key } of jobs.keys({ ...range, ...(signal && { signal }), limit: 1 })) found = key;
    if (found === undefined) return;
    const name = isRecordKey(found) ? found.name : undefined;
    if (name !== undefined) yield name;
    after = name === undefined ? found : recordKey(name, END_OF_TIME);
  }
}

/** The records of one name, newest first. */
export async function* historyOf(jobs: Channel<RunRecord>, name: string, asked: HistoryRange): Items<RunRecord> {
  const { from = BEGIN_OF_TIME, limit, signal } = asked;
  // Without an end of the range, the store would read a page of unwanted records.
  const after = from === BEGIN_OF_TIME ? {} : { after: recordKey(name, from - 1) };
  const range = { prefix: { name }, before: recordKey(name, timeOf(beginOf(asked))), ...after, reverse: true };
  for await (const entry of records(jobs, { ...range, limit, ...(signal && { signal }) })) {
    if (entry.value.startTime < from) return;
    yield toRecord(entry);
  }
}

/** How many records of a name are read at once when the records of all names are merged. */
const AHEAD = 8;

/**
 * The records of these names, newest first; by default of all names, for a store without an index. Reads
 * every name, and keeps a few records of each in memory.
 */
export async function* historyByName(
  jobs: Channel<RunRecord>,
  asked: HistoryRange,
  of: Iterable<string> | AsyncIterable<string> = jobNames(jobs, asked.signal),
): Items<RunRecord> {
  const { from = BEGIN_OF_TIME, limit, signal } = asked;
  const begin = beginOf(asked);
  const heads: Head[] = [];
  for await (const name of of) {
    // If several runs began at the same time, the history shows the last name first.
    const isBehind = typeof begin === "object" && name < begin.name;
    const before = recordKey(name, timeOf(begin) + (isBehind ? 1 : 0));
    const head = new Head(jobs, name, { before, limit: Math.min(limit, AHEAD), ...(signal && { signal }) });
    if (await head.fill()) heads.push(head);
  }
  heads.sort(newestLast);
  for (let left = limit; left > 0; left--) {
    const head = heads.pop();
    const record = head?.take();
    if (head === undefined || record === undefined || record.startTime < from) return;
    yield record;
    if (await head.fill()) insert(heads, head);
  }
}

/** One name among those that are merged. */
class Head {
  readonly name: string;
  readonly #jobs: Channel<RunRecord>;
  /** The next page. */
  #page: EntriesOptions;
  #records: RunRecord[] = [];

  constructor(jobs: Channel<RunRecord>, name: string, page: EntriesOptions) {
    this.#jobs = jobs;
    this.name = name;
    this.#page = page;
  }

  /** The start time of the newest record not yet taken. */
  get startTime(): number {
    return this.#records.at(-1)?.startTime ?? 0;
  }

  /** Reads the next page if no record is left. Resolves to false at the end. */
  async fill(): Promise<boolean> {
    if (this.#records.length > 0) return true;
    const page = await all(records(this.#jobs, { ...this.#page, prefix: { name: this.name }, reverse: true }));
    const last = page.at(-1);
    if (last === undefined) return false;
    this.#records = page.map(toRecord).reverse();
    // Use the key, not the record: each page begins before the last one even if a record is damaged.
    this.#page = { ...this.#page, before: last.key };
    return true;
  }

  take(): RunRecord | undefined {
    return this.#records.pop();
  }
}

function newestLast(a: Head, b: Head): number {
  return a.startTime - b.startTime || (a.name < b.name ? -1 : 1);
}

/** Inserts a head in order, by binary search. */
function insert(heads: Head[], head: Head): void {
  let low = 0;
  let high = heads.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = heads[middle];
    if (other !== undefined && newestLast(other, head) < 0) low = middle + 1;
    else high = middle;
  }
  heads.splice(low, 0, head);
}

/** How many records are read at once. */
const REFS_AT_ONCE = 100;

/** How far the first window of a history reaches back, in ms, and the growth of each further one. */
const FIRST_WINDOW = 3_600_000;
const WINDOW_GROWTH = 16;
const YEAR = 365 * 86_400_000;

/**
 * The records of all names, newest first, by the index. Skips refs without a record.
 *
 * Reads one window of time after the other: to find the end of a range, etcd counts all of its keys.
 */
async function* historyByTime(
  jobs: Channel<RunRecord>,
  index: TimeIndex,
  now: number,
  asked: HistoryRange,
): Items<RunRecord> {
  const { from = BEGIN_OF_TIME, limit, signal } = asked;
  let before = beginOf(asked);
  let window = FIRST_WINDOW;
  let after = Math.max(from, Math.min(timeOf(before), now) - window);
  for (let left = limit; left > 0; ) {
    const most = Math.min(left, REFS_AT_ONCE);
    const refs: RecordRef[] = await index.refs({ after, before, reverse: true, limit: most, signal });
    const entries = await recordsUnder(jobs, refs.map(recordKeyOf));
    const found = entries.filter((entry) => entry !== undefined);
    yield* found.map(toRecord);
    left -= found.length;
    if (refs.length === most) {
      before = refs.at(-1) ?? before;
      continue;
    }
    if (after <= from) return;
    before = after;
    window *= WINDOW_GROWTH;
    // Beyond a year, read everything that remains.
    after = window > YEAR ? from : Math.max(from, after - window);
  }
}

/** The runs of all names that ended in error, the latest end first. */
export function failedRunsOf(
  jobs: Channel<RunRecord>,
  index: TimeIndex,
  { from = BEGIN_OF_TIME, to = END_OF_TIME, limit, signal }: HistoryRange,
): Items<RunRecord> {
  return failedUnder(jobs, index.failures(from, to, signal), limit);
}

/** The runs of all names that ended with one of these statuses, which are in error, newest first. */
function historyInError(
  jobs: Channel<RunRecord>,
  index: TimeIndex,
  statuses: ReadonlySet<unknown>,
  asked: HistoryRange,
): Items<RunRecord> {
  const { from = BEGIN_OF_TIME, limit, signal } = asked;
  const range = { from, before: beginOf(asked), ...(signal && { signal }) };
  return failedUnder(jobs, index.inError(range), limit, statuses);
}

async function* failedUnder(
  jobs: Channel<RunRecord>,
  found: Items<RecordRef & { readonly status?: unknown }>,
  limit: number,
  statuses?: ReadonlySet<unknown>,
): Items<RunRecord> {
  let left = limit;
  if (left <= 0) return;
  let refs: RecordRef[] = [];
  for await (const ref of found) {
    if (statuses?.has(ref.status) === false) continue;
    refs.push(ref);
    if (refs.length < Math.min(left, REFS_AT_ONCE)) continue;
    const runs = await failed(jobs, refs);
    yield* runs;
    left -= runs.length;
    refs = [];
    if (left <= 0) return;
  }
  yield* await failed(jobs, refs);
}

/** Skips overwritten records, and refs without a record. */
async function failed(jobs: Channel<RunRecord>, refs: readonly RecordRef[]): Promise<RunRecord[]> {
  const entries = await recordsUnder(jobs, refs.map(recordKeyOf));
  return entries.flatMap((entry) => (entry?.value.inError === true ? [toRecord(entry)] : []));
}

/** The range of a history: runs that began from `from` (inclusive) to `to` (exclusive). */
interface HistoryRange {
  readonly from?: number;
  readonly to?: number;
  /** Only records behind this one, in the order of the history. */
  readonly before?: RecordRef;
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/** The start of a history: before a time, or before a record. */
function beginOf({ to = END_OF_TIME, before }: HistoryRange): RecordRef | number {
  return before === undefined || to <= before.startTime ? to : before;
}

/** The start time of the start of a history. */
function timeOf(begin: RecordRef | number): number {
  return typeof begin === "number" ? begin : begin.startTime;
}
