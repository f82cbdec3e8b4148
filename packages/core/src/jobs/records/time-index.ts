import type { Channel, ChannelOps } from "../../channel/channel.js";
import { entriesUnlessCorrupt, readable, unlessCorrupt } from "../../channel/corrupt.js";
import { encodeKey } from "../../channel/encoding/key.js";
import type { Entry, Key, Version } from "../../channel/types.js";
import { fieldsOf, isText, isTime } from "../../util/shape.js";
import type { RunRecord, RunStatus } from "../types.js";
import { isRecord } from "./read.js";

/** Start times below and above that of every record. */
export const BEGIN_OF_TIME: number = -Number.MAX_VALUE;
export const END_OF_TIME: number = Number.MAX_VALUE;

/** The name and start time of a record, as in its key. */
export interface RecordRef {
  readonly name: string;
  readonly startTime: number;
}

/** A ref as the index has it. `version`: that of the commit that added it. */
export interface IndexedRef extends RecordRef {
  readonly version: Version;
}

/** A range of start times, and the most refs to return. */
interface RefsOptions {
  /** Only refs after this one; without a name, from this start time on. */
  readonly after?: RecordRef | number;
  /** Only refs before this one; without a name, before this start time. */
  readonly before?: RecordRef | number;
  readonly reverse?: boolean;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** The most records that a commit adds, and the most ops of each: a check, and its index entries. */
const AT_ONCE = 100;
const OPS_OF_RECORD = 4;

/** The value of an entry of the index. The key has all the information. */
const NOTHING = 0;

/** The entry that marks the index as filled: from then on, records are found by it. */
interface FilledValue {
  readonly at: number;
}

export function isFilled(value: unknown): value is FilledValue {
  return isTime(fieldsOf<FilledValue>(value)?.at);
}

/** The values of the index's channel. */
export type TimeIndexValue = typeof NOTHING | FilledValue | RunStatus;

interface Lacking {
  readonly record: Entry<RunRecord>;
  readonly puts: readonly { readonly put: Key; readonly value: typeof NOTHING | RunStatus }[];
}

export const FILLED: Key = "filled";

/**
 * The first parts of the keys of runs that ended in error. Under `FAILED` they are ordered by end time; under
 * `IN_ERROR` by start time, with the status as the value.
 */
const FAILED = "failed";
export const IN_ERROR = "error";

/** The entries of a run that ended in error; none for all others. */
function failureEntries(
  record: RunRecord,
): readonly { readonly key: Key; readonly value: typeof NOTHING | RunStatus }[] {
  const { name, startTime, endTime, inError, status } = record;
  if (inError !== true || endTime === undefined) return [];
  return [
    { key: [FAILED, endTime, startTime, name], value: NOTHING },
    { key: [IN_ERROR, startTime, name], value: status },
  ];
}

const timeKey = (ref: RecordRef): Key => partsOf(ref);

/**
 * The records of all names by their start time, in a channel of its own. The commit that writes or deletes a
 * record writes or deletes its entry here. Without it, a query for the newest runs of all names would read
 * every name.
 *
 * In a Redis Cluster without a hash tag, one commit cannot write to both channels. Then there is no index.
 */
export class TimeIndex {
  /** Whether one commit can write a record and its entry here. */
  readonly kept: boolean;
  /** Its channel, which also has the rollups. */
  readonly channel: Channel<unknown>;
  readonly #times: Channel<TimeIndexValue>;
  #complete = false;

  constructor(jobs: Channel<RunRecord>, times: Channel<TimeIndexValue>) {
    this.kept = jobs.joins(times as Channel<unknown>);
    this.#times = times;
    this.channel = times as Channel<unknown>;
  }

  /** The ops that add a record, for the commit that writes it. */
  add(ref: RecordRef): ChannelOps<unknown>[] {
    return this.#ops([{ put: timeKey(ref), value: NOTHING }]);
  }

  /** The given ops on the record, and the ops that add it to the index. */
  addWith(record: ChannelOps<unknown>, ref: RecordRef): ChannelOps<unknown>[] {
    if (!this.kept) return [record];
    const ops = [{ put: timeKey(ref), value: NOTHING }];
    return [record, { channel: this.#times as Channel<unknown>, ops }];
  }

  /** The ops that add a run that ended in error, for the commit that closes its record. None for others. */
  addFailure(record: RunRecord): ChannelOps<unknown>[] {
    const entries = failureEntries(record);
    return entries.length === 0 ? [] : this.#ops(entries.map(({ key, value }) => ({ put: key, value })));
  }

  /** The ops for the commit that closes the record of a run that may not be in the index. */
  addClosed(record: RunRecord): ChannelOps<unknown>[] {
    return [...this.add(record), ...this.addFailure(record)];
  }

  /** The ops that remove records, for the commit that deletes them. */
  remove(refs: readonly (RecordRef | RunRecord)[]): ChannelOps<unknown>[] {
    return this.#ops(
      refs.flatMap((ref) => {
        const failure = "status" in ref ? failureEntries(ref) : [];
        return [{ delete: timeKey(ref) }, ...failure.map(({ key }) => ({ delete: key }))];
      }),
    );
  }

  #ops(ops: ChannelOps<TimeIndexValue>["ops"]): ChannelOps<unknown>[] {
    return this.kept ? [{ channel: this.#times, ops } as ChannelOps<unknown>] : [];
  }

  /** Adds the missing entries of stored records. Resolves to false if it left out one that has changed. */
  async addMissing(jobs: Channel<RunRecord>, records: readonly Entry<RunRecord>[]): Promise<boolean> {
    const most = Math.max(1, Math.min(AT_ONCE, Math.floor(jobs.supports.maxOps / OPS_OF_RECORD)));
    let all = true;
    for (let i = 0; i < records.length; i += most) {
      const lacking = await this.#lacking(records.slice(i, i + most));
      if (lacking.length === 0) continue;
      const add = (some: readonly Lacking[]): Promise<{ readonly ok: boolean }> =>
        jobs.commitWith<unknown[]>(
          some.map(({ record: { key, version } }) => ({ check: key, version })),
          this.#ops(some.flatMap(({ puts }) => puts)),
        );
      if ((await add(lacking)).ok) continue;
      for (const one of lacking) if (!(await add([one])).ok) all = false;
    }
    return all;
  }

  async #lacking(records: readonly Entry<RunRecord>[]): Promise<Lacking[]> {
    const wanted = records.map((record): Lacking => {
      const entries = [{ key: timeKey(record.value), value: NOTHING } as const, ...failureEntries(record.value)];
      return { record, puts: entries.map(({ key, value }) => ({ put: key, value })) };
    });
    const keys = wanted.flatMap(({ puts }) => puts.map(({ put }) => put));
    const entries = await entriesUnlessCorrupt(this.#times, keys);
    const there = new Set(keys.filter((_, i) => entries[i] !== undefined));
    return wanted
      .map(({ record, puts }) => ({ record, puts: puts.filter(({ put }) => !there.has(put)) }))
      .filter(({ puts }) => puts.length > 0);
  }

  /** Whether every record can be found here. Once true, it stays true. */
  async isComplete(): Promise<boolean> {
    if (this.kept && !this.#complete) this.#complete = (await this.filled()) !== undefined;
    return this.#complete;
  }

  /** The mark of a filled index; `undefined` if the index may lack records. */
  async filled(): Promise<FilledValue | undefined> {
    const value = await unlessCorrupt(this.#times.get(FILLED));
    return isFilled(value) ? value : undefined;
  }

  async setFilled(value: FilledValue): Promise<void> {
    await this.#times.set(FILLED, value);
  }

  /** The runs that ended in error, the latest end first: from `from` (inclusive) to `to` (exclusive). */
  async *failures(from: number, to: number, signal?: AbortSignal): AsyncGenerator<RecordRef, void, undefined> {
    const range = { after: [FAILED, from], before: [FAILED, to], reverse: true, ...(signal && { signal }) };
    for await (const { key } of this.#times.keys(range)) {
      const [, , startTime, name] = Array.isArray(key) ? (key as readonly unknown[]) : [];
      if (isTime(startTime) && isText(name)) yield { name, startTime };
    }
  }

  /** The runs that ended in error, in the order of the history, and their status. */
  async *inError({
    from,
    before,
    signal,
  }: {
    readonly from: number;
    readonly before: RecordRef | number;
    readonly signal?: AbortSignal;
  }): AsyncGenerator<RecordRef & { readonly status: unknown }, void, undefined> {
    const range = { after: [IN_ERROR, from], before: [IN_ERROR, ...partsOf(before)], reverse: true };
    for await (const { key, value } of readable(this.#times, { ...range, ...(signal && { signal }) })) {
      const [, startTime, name] = Array.isArray(key) ? (key as readonly unknown[]) : [];
      if (isTime(startTime) && isText(name)) yield { name, startTime, status: value };
    }
  }

  /** Refs in the order of their start times. */
  async refs(options: RefsOptions): Promise<IndexedRef[]> {
    const { after = BEGIN_OF_TIME, before = END_OF_TIME, reverse = false, limit, signal } = options;
    const range = { after: partsOf(after), before: partsOf(before), reverse, limit, ...(signal && { signal }) };
    const found: IndexedRef[] = [];
    for await (const { key, version } of this.#times.keys(range)) {
      const [startTime, name] = Array.isArray(key) ? (key as readonly unknown[]) : [];
      if (isTime(startTime) && isText(name)) found.push({ name, startTime, version });
    }
    return found;
  }
}

/** A key of a start time alone sorts before all keys of that time. */
function partsOf(at: RecordRef | number): readonly (number | string)[] {
  return typeof at === "number" ? [at] : [at.startTime, at.name];
}

/** The number of record entries that one round checks. */
const SLICE = 500;

/** The time from the start of one check of all records to that of the next, in ms. */
const REST = 3_600_000;

/** How far the check of all records has come, in the channel of the turns. */
interface CheckedValue {
  /** When this check of all records began, in ms since 1970. */
  readonly began: number;
  /** The last key that was checked; `null` if all were. */
  readonly after: Key | null;
}

const CHECKED: Key = "indexed";

/** What the upkeep of the records works on. */
export interface Upkeep {
  readonly jobs: Channel<RunRecord>;
  readonly turns: Channel<unknown>;
  readonly index: TimeIndex;
  readonly signal: AbortSignal;
  /** Called before each page and each change: another process may have taken over the work. */
  mayContinue(): Promise<boolean>;
}

interface Filling extends Upkeep {
  now(): number;
}

/**
 * Adds to the index the records that it lacks: those of an older version of ojm or of another program, which
 * write only records.
 *
 * The index of a store without one is filled at once, because the history of all names reads every name until
 * then. In any other store, each round checks one slice of the records, and a check of all records begins
 * once an hour.
 */
export async function fillIndex(filling: Filling): Promise<void> {
  const { index } = filling;
  if (!index.kept) return;
  await ((await index.isComplete()) ? checkSlice(filling) : fillAll(filling));
}

async function fillAll({ index, now, ...filling }: Filling): Promise<void> {
  let after: Key | null | undefined;
  do {
    const slice = await readSlice(filling, after);
    if (!(await filling.mayContinue())) return;
    // If one of these records has changed meanwhile, read it again.
    if (await index.addMissing(filling.jobs, slice.records)) after = slice.last;
  } while (after !== null);
  await index.setFilled({ at: now() });
}

async function checkSlice({ index, now, ...filling }: Filling): Promise<void> {
  const { turns, jobs } = filling;
  const checked = await readChecked(turns);
  const isOver = checked === undefined || checked.after === null;
  // A start in the future comes from a wrong clock.
  if (isOver && checked !== undefined && now() >= checked.began && now() < checked.began + REST) return;
  const began = isOver ? now() : checked.began;
  const { records, last } = await readSlice(filling, checked?.after ?? undefined);
  if (!(await filling.mayContinue())) return;
  // A record that has changed meanwhile is checked an hour later.
  await index.addMissing(jobs, records);
  await turns.set(CHECKED, { began, after: last } satisfies CheckedValue);
}

/** The records among the next entries, and the last key of these; `null` if there are no more. */
async function readSlice(
  { jobs, signal }: Pick<Filling, "jobs" | "signal">,
  after: Key | undefined | null,
): Promise<{ readonly records: readonly Entry<RunRecord>[]; readonly last: Key | null }> {
  const records: Entry<RunRecord>[] = [];
  let last: Key | null = null;
  let count = 0;
  const range = { limit: SLICE, signal, ...(after !== undefined && after !== null && { after }) };
  for await (const entry of readable(jobs, range)) {
    count++;
    last = entry.key;
    if (isRecord(entry)) records.push(entry as Entry<RunRecord>);
  }
  return { records, last: count < SLICE ? null : last };
}

/** `undefined` if no check has begun, or if another program overwrote the entry. */
async function readChecked(turns: Channel<unknown>): Promise<CheckedValue | undefined> {
  const { began, after } = fieldsOf<CheckedValue>(await unlessCorrupt(turns.get(CHECKED))) ?? {};
  if (!isTime(began) || after === undefined) return undefined;
  try {
    if (after !== null) encodeKey(after as Key);
  } catch {
    return undefined;
  }
  return { began, after: after as Key | null };
}
