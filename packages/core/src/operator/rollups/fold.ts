import { inBackground } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import { unlessCorrupt } from "../../channel/corrupt.js";
import type { Key } from "../../channel/types.js";
import { recordsUnder } from "../../jobs/records/read.js";
import { recordKeyOf } from "../../jobs/records/record.js";
import type { RecordRef, TimeIndex } from "../../jobs/records/time-index.js";
import type { RunRecord } from "../../jobs/types.js";
import { Turn, type TurnValue } from "../../locks/sweep/turn.js";
import { type Clock, systemClock } from "../../util/clock.js";
import { fieldsOf, isTime } from "../../util/shape.js";
import { readAhead, refPages, Tally, writeFolded, writeState } from "./cells.js";
import { DAY, type FoldEntry, type FoldState, floorTo, MINUTE, openRefs, readFold } from "./entries.js";
import { closedSince, firstTime, lateRefs, NEAR, type Repairing, repair } from "./repair.js";

/**
 * How far the cursor stays behind now, in ms. A record that is written this late costs nothing. For a later
 * one, its minute is counted again.
 */
const LAG = 10_000;

/** The rest between two folds of a process that has nothing new to fold, and the life of a turn, in ttls. */
const REST = 4;
const TURN_LIFE = 1;

/** The longest that a query waits for a fold, in ms: the first one of a store may take minutes. */
const LONGEST_WAIT = 2_000;

const TURN: Key = ["rollups"];

/** The stores that a fold reads and writes. */
export interface FoldStores {
  readonly jobs: Channel<RunRecord>;
  /** The channel of the index, which has the rollups too. */
  readonly times: Channel<unknown>;
  readonly turns: Channel<unknown>;
  readonly index: TimeIndex;
}

/**
 * Folds records into cells, on demand. Of all processes that use the store, one folds at a time, so that the
 * store pays once. Two at once would do no harm: each commit of a fold checks that no other process has
 * continued since it read, and sets cells from the records.
 */
export class Fold {
  readonly #stores: FoldStores;
  readonly #clock: Clock;
  readonly #ttl: number;
  /** `undefined` if only this process can use the store. */
  readonly #turn: Turn | undefined;
  readonly #closing: AbortController = new AbortController();
  #running: { readonly done: Promise<void>; readonly since: number } | undefined;
  /** When a fold is due although there is nothing new to fold. */
  #due = 0;
  #isNew = true;

  constructor(stores: FoldStores, clock: Clock, ttl: number) {
    this.#stores = stores;
    this.#clock = clock;
    this.#ttl = ttl;
    const alone = stores.jobs.supports.shared === "process" && clock === systemClock;
    if (!alone) this.#turn = new Turn(stores.turns as Channel<TurnValue>, clock, TURN, TURN_LIFE * ttl);
  }

  /** The start of the time that is in no cell yet, by the clock of this process. */
  get target(): number {
    return floorTo(this.#clock.now() - LAG, MINUTE);
  }

  /** Folds what is due. Waits for it, but not for long: then the fold continues in the background. */
  async fresh({ state }: FoldEntry): Promise<void> {
    const isDue = this.#clock.monotonic() >= this.#due || state === undefined || state.cursor < this.target;
    if (this.#running === undefined && isDue) this.#begin();
    if (this.#running === undefined) return;
    const { done, since } = this.#running;
    let cancel = (): void => {};
    const over = new Promise<void>((resolve) => {
      cancel = this.#clock.after(Math.max(0, since + LONGEST_WAIT - this.#clock.monotonic()), resolve, true);
    });
    await Promise.race([done, over]);
    cancel();
  }

  /** Stops the fold of this process. The next one continues from its last commit. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running?.done;
  }

  #begin(): void {
    const work = async (): Promise<void> => {
      if (await this.#hasTurn()) await this.#fold();
    };
    const done = inBackground(work).then(() => {
      this.#running = undefined;
      this.#due = this.#clock.monotonic() + REST * this.#ttl;
    });
    this.#running = { done, since: this.#clock.monotonic() };
  }

  async #hasTurn(): Promise<boolean> {
    const turn = this.#turn;
    if (turn === undefined) return true;
    const isNew = this.#isNew;
    this.#isNew = false;
    return turn.hold(isNew && (await this.#isNeglected()));
  }

  /**
   * Whether no process folds, by the wall clocks of the others. A short-lived process cannot wait until it
   * has observed that.
   */
  async #isNeglected(): Promise<boolean> {
    const at = fieldsOf<TurnValue>(await unlessCorrupt(this.#stores.turns.get(TURN)))?.at;
    const now = this.#clock.now();
    return !isTime(at) || now > at + TURN_LIFE * this.#ttl || now < at - DAY;
  }

  async #fold(): Promise<void> {
    const { index, times } = this.#stores;
    const signal = this.#closing.signal;
    const goesOn = async (): Promise<boolean> => !signal.aborted && (await this.#turn?.keep()) !== false;
    const pause = (): Promise<void> => new Promise((resolve) => void this.#clock.after(1, resolve, true));
    const working = { ...this.#stores, signal, goesOn, pause };
    const target = this.target;
    const before = await readFold(times);
    const first = Math.min(target, floorTo((await firstTime(index, signal)) ?? target, MINUTE));
    const claimed = await writeState(times, before, before.state ?? stateAt(first, "0"));
    if (claimed?.state === undefined || claimed.version === null) return;
    // All later writes have a higher version.
    const mark = claimed.version;
    // In a new store the checks have seen nothing: a host whose clock is slow may write between the read of
    // the first time and the claim.
    const entry: FoldEntry = claimed;
    const { state } = claimed;
    const { refs, far } = await lateRefs(index, state, mark, { signal, pause });
    const repaired = await repair(working, entry, refs, await closedSince(working, state.cursor));
    // A record that is written after the mark, and less than ten minutes late, begins after that. From the
    // cursor on, the second fold of a store would check everything that the first one has folded.
    const near = { from: target - NEAR, version: mark };
    await forward({ ...working, clock: this.#clock, target, final: { near, far } }, repaired);
  }
}

function stateAt(cursor: number, version: string): FoldState {
  return { cursor, repairs: 0, near: { from: cursor, version }, far: { begun: version, version } };
}

/**
 * The number of records, or ms, after which a batch ends with its minute. A batch writes each hour of a name
 * once, so short batches write more. A batch that was read but not written is lost if its process dies.
 */
const BATCH = 20_000;
const SLICE = 2_000;

/** The inputs of folding forward. */
interface Forward extends Repairing {
  readonly clock: Clock;
  /** The cursor at the end. */
  readonly target: number;
  /** The state at the end, apart from the cursor. */
  readonly final: Pick<FoldState, "near" | "far">;
}

/**
 * Folds the records between the cursor and `target`, batch by batch. Each commit moves the cursor. Meanwhile,
 * the records of the next batch are read: a record that changes after that is found like those that change
 * after the commit.
 */
async function forward(going: Forward, entry: FoldEntry | undefined): Promise<FoldEntry | undefined> {
  const { index, jobs, clock, times, target, final, signal, pause } = going;
  if (entry?.state === undefined) return undefined;
  if (entry.state.cursor >= target) return writeState(times, entry, { ...entry.state, ...final });
  const from = entry.state.cursor;
  // A batch of several commits that died half-way leaves such entries beyond the cursor.
  const left = await openRefs(times, { from, to: target, signal });
  const pages = readAhead(refPages(index, { from, to: target, signal, pause }), async (refs) => ({
    count: refs.length,
    last: refs.at(-1)?.startTime ?? from,
    entries: await recordsUnder(jobs, refs.map(recordKeyOf)),
  }));
  let current = entry;
  let tally = new Tally();
  let began = clock.monotonic();
  let count = 0;
  for await (const page of pages) {
    tally.addAll(page.entries);
    count += page.count;
    // The minute of the last record may have more records.
    const end = floorTo(page.last, MINUTE);
    if (end <= (current.state?.cursor ?? end) || (count < BATCH && clock.monotonic() < began + SLICE)) continue;
    const rest = tally.splitAt(end);
    const moved = await move(going, { tally, left, end }, current);
    if (moved === undefined) return undefined;
    [current, tally, count, began] = [moved, rest, 0, clock.monotonic()];
  }
  return move(going, { tally, left, end: target }, current);
}

/** The records between the cursor and `end`. */
interface Batch {
  readonly tally: Tally;
  /** Runs that an earlier fold found open. */
  readonly left: readonly RecordRef[];
  readonly end: number;
}

/** Commits a batch. Resolves to the new state; to `undefined` if another process has taken over. */
async function move(
  { times, target, final, goesOn }: Forward,
  { tally, left, end }: Batch,
  entry: FoldEntry,
): Promise<FoldEntry | undefined> {
  const { state } = entry;
  if (state === undefined || !(await goesOn())) return undefined;
  const next = { ...state, ...(end >= target && final), cursor: end };
  const isIn = ({ startTime }: RecordRef): boolean => startTime >= state.cursor && startTime < end;
  const closed = left.filter((ref) => isIn(ref) && !isOpen(tally, ref));
  return writeFolded(times, { tally, closed }, entry, next);
}

function isOpen({ open }: Tally, { name, startTime }: RecordRef): boolean {
  return open.get(name)?.some((ref) => ref.startTime === startTime) === true;
}
