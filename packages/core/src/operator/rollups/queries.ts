import type { Channel } from "../../channel/channel.js";
import { readable } from "../../channel/corrupt.js";
import type { Entry } from "../../channel/types.js";
import type { Records } from "../../jobs/channels.js";
import { recordsUnder } from "../../jobs/records/read.js";
import { recordKeyOf } from "../../jobs/records/record.js";
import type { TimeIndex } from "../../jobs/records/time-index.js";
import type { RunRecord } from "../../jobs/types.js";
import type { Clock } from "../../util/clock.js";
import { isText, isTime } from "../../util/shape.js";
import { startMs } from "../../util/start-time.js";
import { valueText } from "../../util/text.js";
import { historyByName, historyOf, refuse } from "../history.js";
import { entriesOf, PAGE, readAhead, refPages } from "./cells.js";
import {
  addCell,
  addRun,
  CELL,
  type Cell,
  cellsKey,
  cellsPlace,
  cellsRange,
  DAY,
  type EntryPlace,
  eachCell,
  emptyCell,
  type FoldEntry,
  floorTo,
  HOUR,
  MINUTE,
  openRefs,
  PLACES,
  readFold,
  SPANS,
  type Span,
} from "./entries.js";
import { Fold, type FoldStores, NEAR } from "./fold.js";
import type { Rollups, RollupsOptions } from "./types.js";

/** How often a query is repeated because a fold counted runs again meanwhile. */
const TRIES = 10;

/** Answers rollup queries by hours and minutes: from cells, and from records that are in no cell yet. */
export class RollupQueries {
  readonly #stores: FoldStores;
  readonly #fold: Fold;

  constructor({ jobs, times, turns }: Records, index: TimeIndex, clock: Clock, ttl: number) {
    const stores = { jobs, index, times: times as Channel<unknown>, turns: turns as Channel<unknown> };
    this.#stores = stores;
    this.#fold = new Fold(stores, clock, ttl);
  }

  async query(options: RollupsOptions): Promise<Rollups> {
    const query = checkRollups(options);
    const { index, times } = this.#stores;
    if (!(await index.isComplete())) {
      const answer = new Answer(query);
      return answer.shown(await this.#addHistory(query, answer));
    }
    await this.#fold.fresh(await readFold(times));
    let entry = await readFold(times);
    for (let left = TRIES; ; left--) {
      const answer = new Answer(query);
      const missing = await this.#add(query, entry, answer);
      const after = await readFold(times);
      // A run that a fold moved into a cell meanwhile may have been counted twice, or not at all.
      if (after.state?.repairs === entry.state?.repairs || left === 0) return answer.shown(missing);
      entry = after;
    }
  }

  close(): Promise<void> {
    return this.#fold.close();
  }

  async #add(query: RollupQuery, { state }: FoldEntry, answer: Answer): Promise<Rollups["missing"]> {
    const { from, to, signal } = query;
    // A host whose clock is ahead may have moved the cursor past runs that our clock calls new.
    const cursor = Math.max(Math.min(state?.cursor ?? from, this.#fold.target), (state?.cursor ?? from) - NEAR);
    const known = Math.max(from, Math.min(cursor, to));
    const missing = await this.#addLive({ from: known, to, signal }, answer);
    if (known <= from) return missing;
    await this.#addOpen({ from, to: known, signal }, answer);
    // The hour of the cursor is not over: its minutes are counted.
    const whole = query.by === "hour" ? Math.max(from, floorTo(known, HOUR)) : from;
    await this.#addCells("day", { ...query, to: Math.min(whole, known) }, answer);
    await this.#addCells("hour", { ...query, from: whole, to: known }, answer);
    return missing;
  }

  /**
   * Adds the records of a range that are in no cell yet, the newest first. Resolves to the part of the range
   * that it left out, if that has more records than one query may read.
   */
  async #addLive(range: Range, answer: Answer): Promise<Rollups["missing"]> {
    const { jobs, index } = this.#stores;
    let refs = 0;
    const pages = readAhead(refPages(index, { ...range, reverse: true }), async (page) => {
      const wanted = page.filter(({ name }) => answer.wants(name));
      return { page, entries: await recordsUnder(jobs, wanted.map(recordKeyOf)) };
    });
    for await (const { page, entries } of pages) {
      answer.addRuns(entries);
      refs += page.length;
      const last = page.at(-1)?.startTime ?? range.from;
      if (refs >= RECORDS && last > range.from) return { from: range.from, to: Math.floor(last) + 1 };
    }
    return undefined;
  }

  /** Adds the runs of a range that were open when the fold passed them, as they are now. */
  async #addOpen(range: Range, answer: Answer): Promise<void> {
    const { jobs, times } = this.#stores;
    const open = (await openRefs(times, range)).filter(({ name }) => answer.wants(name));
    for (let i = 0; i < open.length; i += PAGE) {
      const some = open.slice(i, i + PAGE);
      // Beyond the records that one query may read: a moment ago, the fold knew that these runs were open.
      if (i >= RECORDS) for (const ref of some) answer.addRun({ ...ref, status: "running" });
      else answer.addRuns(await recordsUnder(jobs, some.map(recordKeyOf)));
    }
  }

  /** Adds records without an index: there are no rollups then. Reads the newest ones. */
  async #addHistory({ names, from, to, signal }: RollupQuery, answer: Answer): Promise<Rollups["missing"]> {
    const { jobs } = this.#stores;
    const limit = Math.max(1, Math.floor(RECORDS / Math.max(1, names?.size ?? 1)));
    const range = { from, to, limit: limit + 1, ...(signal && { signal }) };
    const histories = names ? [...names].map((name) => historyOf(jobs, name, range)) : [historyByName(jobs, range)];
    let end: number | undefined;
    for (const history of histories) {
      let read = 0;
      for await (const record of history) {
        if (++read > limit) end = Math.max(end ?? from, startMs(record.startTime) + 1);
        else answer.addRun(record);
      }
    }
    return end === undefined ? undefined : { from, to: end };
  }

  /** Adds the cells from `from` to `to` of one kind of entry. */
  async #addCells(span: Span, { names, from, to, signal }: RollupQuery, answer: Answer): Promise<void> {
    if (from >= to) return;
    const { times } = this.#stores;
    if (names === undefined) {
      const range = { ...cellsRange(span, from, to), ...(signal && { signal }) };
      for await (const { key, value } of readable(times, range)) {
        const place = cellsPlace(key);
        if (place !== undefined) answer.addEntry(span, place, value, to);
      }
      return;
    }
    const places: EntryPlace[] = [];
    for (const name of names)
      for (let at = floorTo(from, SPANS[span]); at < to; at += SPANS[span]) places.push({ name, at });
    const keys = places.map(({ name, at }) => cellsKey(span, at, name));
    const values = await entriesOf(times, keys);
    for (const [i, place] of places.entries()) answer.addEntry(span, place, values[i], to);
  }
}

/** The longest range of each cell, in days. */
const LONGEST_RANGE = { minute: 7, hour: 400 } as const;

/** The requested range, in whole cells. */
interface RollupQuery {
  readonly names: ReadonlySet<string> | undefined;
  readonly from: number;
  readonly to: number;
  readonly by: "hour" | "minute";
  /** The length of a cell, in ms. */
  readonly size: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks the requested range, and widens it to whole cells.
 *
 * @throws ChannelError `INVALID_ARGUMENT`
 */
function checkRollups({ names, from, to, by, signal }: RollupsOptions): RollupQuery {
  if (by !== "hour" && by !== "minute") refuse(`by is "hour" or "minute", not ${valueText(by)}`);
  for (const [field, time] of Object.entries({ from, to })) {
    if (!isTime(time)) refuse(`${field} is a time in ms since 1970, not ${valueText(time)}`);
  }
  if (names !== undefined && !(Array.isArray(names) && names.every(isText))) refuse("names is a list of names of jobs");
  const size = by === "hour" ? HOUR : MINUTE;
  const range = { from: floorTo(from, size), to: -floorTo(-to, size) };
  if (range.to < range.from) refuse(`to is before from: ${to} before ${from}`);
  // Each minute may become an object: a mistyped year must not fill the memory.
  const most = LONGEST_RANGE[by];
  if (range.to - range.from > most * DAY + size) refuse(`rollups by ${by} cover at most ${most} days at once`);
  return { ...range, by, size, names: names && new Set(names), signal };
}

/** A cell of an answer, to which runs can be added. */
interface AnswerCell extends Cell {
  readonly at: number;
}

/** Gathers the cells of an answer. */
class Answer {
  readonly #query: RollupQuery;
  readonly #jobs: Map<string, Map<number, AnswerCell>> = new Map();

  constructor(query: RollupQuery) {
    this.#query = query;
  }

  wants(name: string): boolean {
    return this.#query.names?.has(name) !== false;
  }

  addRun(record: Pick<RunRecord, "name" | "startTime" | "status" | "duration">): void {
    const { from, to, size } = this.#query;
    const { name, startTime } = record;
    if (!this.wants(name) || startTime < from || startTime >= to) return;
    const cells = this.#cellsOf(name);
    const at = floorTo(startTime, size);
    const cell = cells.get(at) ?? { at, ...emptyCell() };
    cells.set(at, cell);
    addRun(cell, record);
  }

  /** Adds records. Skips refs without a record. */
  addRuns(entries: readonly (Entry<RunRecord> | undefined)[]): void {
    for (const entry of entries) if (entry !== undefined) this.addRun(entry.value);
  }

  /** Adds the cells of the value of an entry: those that begin before `end`. */
  addEntry(span: Span, { name, at: begin }: EntryPlace, value: unknown, end: number): void {
    if (!this.wants(name)) return;
    const { from, to, size } = this.#query;
    const before = Math.min(to, end);
    const cells = this.#cellsOf(name);
    eachCell(value, PLACES[span], (place, runs, busy, longest) => {
      const start = begin + place * CELL[span];
      if (start < from || start >= before) return;
      const at = floorTo(start, size);
      const known = cells.get(at);
      if (known === undefined) cells.set(at, { at, runs, busy, longest });
      else addCell(known, { runs, busy, longest });
    });
  }

  shown(missing: Rollups["missing"]): Rollups {
    const jobs = [...this.#jobs]
      .filter(([, cells]) => cells.size > 0)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, cells]) => ({ name, cells: [...cells.values()].sort((a, b) => a.at - b.at) }));
    return missing === undefined ? { jobs } : { jobs, missing };
  }

  #cellsOf(name: string): Map<number, AnswerCell> {
    const cells = this.#jobs.get(name) ?? new Map<number, AnswerCell>();
    this.#jobs.set(name, cells);
    return cells;
  }
}

/** The most records that a query reads, or among which it searches for those of its names. */
const RECORDS = 5_000;

type Range = Pick<RollupQuery, "from" | "to" | "signal">;
