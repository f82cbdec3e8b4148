import { inBackground } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import { unlessCorrupt } from "../../channel/corrupt.js";
import { compareVersions } from "../../channel/encoding/version.js";
import type { Key, Version } from "../../channel/types.js";
import { records, recordsUnder } from "../../jobs/records/read.js";
import { recordKey, recordKeyOf } from "../../jobs/records/record.js";
import { BEGIN_OF_TIME, type IndexedRef, type RecordRef, type TimeIndex } from "../../jobs/records/time-index.js";
import type { RunRecord } from "../../jobs/types.js";
import { Turn, type TurnValue } from "../../locks/sweep/turn.js";
import { type Clock, systemClock } from "../../util/clock.js";
import { atMost } from "../../util/event-loop.js";
import { fieldsOf, isTime } from "../../util/shape.js";
import { PAGE, readAhead, refPages, Tally, writeFolded, writeState } from "./cells.js";
import { DAY, type FoldEntry, type FoldState, floorTo, isUnfolded, MINUTE, openRefs, readFold } from "./entries.js";

/** How far the cursor stays behind now, in ms. For a record written later, its minute is counted again. */
const LAG = 10_000;

/** The rest between two folds of a process that has nothing new to fold, and the life of a turn, in ttls. */
const REST = 4;
const TURN_LIFE = 1;

/** The longest that a query waits for a fold, in ms: the first one of a store may take minutes. */
const LONGEST_WAIT = 2_000;

/**
 * The number of records, or ms, after which a batch ends with its minute. A batch writes each hour of a name
 * once, so short batches write more. A batch that was read but not written is lost if its process dies.
 */
const BATCH = 20_000;
const SLICE = 2_000;

/** How far behind the cursor each fold checks for late records, in ms. */
export const NEAR = 600_000;

/** The number of refs of the index that each fold checks on its way through all of them. */
const FAR = 20 * PAGE;

/** The most refs of one commit, and the number of ops that each may need. */
const REFS_AT_ONCE = 200;
const OPS_OF_REF = 4;

/** From this many late records on, all minutes between them are counted again: that reads more at once. */
const MANY_LATE_RECORDS = 1_000;

const TURN: Key = ["rollups"];

/** What the checks for late records have seen. */
type Checked = Pick<FoldState, "near" | "far">;

/** The findings of a check. */
interface Late extends Pick<FoldState, "far"> {
  readonly refs: readonly RecordRef[];
}

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
    await atMost(this.#clock, Math.max(0, since + LONGEST_WAIT - this.#clock.monotonic()), done);
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

  /** Whether no process folds, by their wall clocks. A short-lived process cannot wait to observe it. */
  async #isNeglected(): Promise<boolean> {
    const at = fieldsOf<TurnValue>(await unlessCorrupt(this.#stores.turns.get(TURN)))?.at;
    const now = this.#clock.now();
    return !isTime(at) || now > at + TURN_LIFE * this.#ttl || now < at - DAY;
  }

  async #fold(): Promise<void> {
    const { times } = this.#stores;
    const { target } = this;
    const before = await readFold(times);
    const first = Math.min(target, floorTo((await this.#firstTime()) ?? target, MINUTE));
    const version = "0";
    const empty = { cursor: first, repairs: 0, near: { from: first, version }, far: { begun: version, version } };
    const claimed = await writeState(times, before, before.state ?? empty);
    if (claimed?.state === undefined || claimed.version === null) return;
    // All later writes have a higher version. In a new store the checks have seen nothing: a host whose clock
    // is slow may write between the read of the first time and the claim.
    const { state, version: mark } = claimed;
    const { refs, far } = await this.#lateRefs(state, mark);
    const repaired = await this.#repair(claimed, refs, await this.#closedSince(state.cursor));
    // A record that is written after the mark, and less than ten minutes late, begins after that. From the
    // cursor on, the second fold of a store would check everything that the first one has folded.
    const near = { from: target - NEAR, version: mark };
    await this.#forward(repaired, target, { near, far });
  }

  /** Called before each commit: another process may have taken over the work. */
  async #mayContinue(): Promise<boolean> {
    return !this.#closing.signal.aborted && (await this.#turn?.keep()) !== false;
  }

  /** The refs from `from` to `to`, page by page. Lets other work run after each page. */
  #pages(from: number, to: number): ReturnType<typeof refPages> {
    const pause = (): Promise<void> => new Promise((resolve) => void this.#clock.after(1, resolve, true));
    return refPages(this.#stores.index, { from, to, signal: this.#closing.signal, pause });
  }

  /** The start time of the oldest record; `undefined` if there is none. */
  async #firstTime(): Promise<number | undefined> {
    const [first] = await this.#stores.index.refs({ limit: 1, signal: this.#closing.signal });
    return first?.startTime;
  }

  /**
   * Folds the records between the cursor and `target`, batch by batch. Each commit moves the cursor.
   * Meanwhile, the records of the next batch are read: a record that changes after that is found like those
   * that change after the commit. `final`: the state at the end, apart from the cursor.
   */
  async #forward(entry: FoldEntry | undefined, target: number, final: Checked): Promise<void> {
    const { jobs, times } = this.#stores;
    if (entry?.state === undefined) return;
    const { cursor: from } = entry.state;
    if (from >= target) {
      await writeState(times, entry, { ...entry.state, ...final });
      return;
    }
    // A batch of several commits that died half-way leaves such entries beyond the cursor.
    const left = await openRefs(times, { from, to: target, signal: this.#closing.signal });
    const pages = readAhead(this.#pages(from, target), async (refs) => ({
      count: refs.length,
      last: refs.at(-1)?.startTime ?? from,
      entries: await recordsUnder(jobs, refs.map(recordKeyOf)),
    }));
    let current = entry;
    let tally = new Tally();
    let began = this.#clock.monotonic();
    let count = 0;
    for await (const page of pages) {
      tally.addAll(page.entries);
      count += page.count;
      // The minute of the last record may have more records.
      const end = floorTo(page.last, MINUTE);
      const isShort = count < BATCH && this.#clock.monotonic() < began + SLICE;
      if (end <= (current.state?.cursor ?? end) || isShort) continue;
      const rest = tally.splitAt(end);
      const moved = await this.#move(current, tally, left, { cursor: end });
      if (moved === undefined) return;
      [current, tally, count, began] = [moved, rest, 0, this.#clock.monotonic()];
    }
    await this.#move(current, tally, left, { ...final, cursor: target });
  }

  /**
   * Commits the records between the cursor and that of `next`. `left`: runs that an earlier fold found open.
   * Resolves to the new state; to `undefined` if another process has taken over.
   */
  async #move(
    entry: FoldEntry,
    tally: Tally,
    left: readonly RecordRef[],
    next: Pick<FoldState, "cursor"> & Partial<Checked>,
  ): Promise<FoldEntry | undefined> {
    const { state } = entry;
    if (state === undefined || !(await this.#mayContinue())) return undefined;
    const closed = left.filter(({ name, startTime }) => {
      const isOpen = tally.open.get(name)?.some((ref) => ref.startTime === startTime) === true;
      return startTime >= state.cursor && startTime < next.cursor && !isOpen;
    });
    return writeFolded(this.#stores.times, { tally, closed }, entry, { ...state, ...next });
  }

  /**
   * The records behind the cursor that were written since the last check there: the clock of their host is
   * slow, or their commit took long. Start times are ordered by several clocks, versions by the store.
   *
   * Each fold checks the last ten minutes, and a part of the whole index. So a record that is later than ten
   * minutes is found too, within as many folds as the index has tens of thousands of records.
   */
  async #lateRefs({ cursor, near, far }: FoldState, mark: Version): Promise<Late> {
    const refs: RecordRef[] = [];
    const take = (page: readonly IndexedRef[], seen: Version): void => {
      for (const ref of page) if (ref.startTime < cursor && compareVersions(ref.version, seen) > 0) refs.push(ref);
    };
    for await (const page of this.#pages(near.from, cursor)) take(page, near.version);
    const from = far.at ?? (await this.#firstTime()) ?? cursor;
    const begun = far.at === undefined ? mark : far.begun;
    let count = 0;
    for await (const page of this.#pages(from, cursor)) {
      take(page, far.version);
      count += page.length;
      const at = page.at(-1)?.startTime ?? from;
      // Runs that began in the same ms are not split: the next part would begin with them again.
      if (count >= FAR && at > from) return { refs, far: { at, begun, version: far.version } };
    }
    return { refs, far: { begun, version: begun } };
  }

  /** The runs that were open when the fold passed them, and are no longer. */
  async #closedSince(cursor: number): Promise<RecordRef[]> {
    const { jobs, times } = this.#stores;
    const open = await openRefs(times, { from: BEGIN_OF_TIME, to: cursor, signal: this.#closing.signal });
    const closed: RecordRef[] = [];
    for (let i = 0; i < open.length; i += PAGE) {
      const some = open.slice(i, i + PAGE);
      const entries = await recordsUnder(jobs, some.map(recordKeyOf));
      closed.push(...some.filter((_, at) => !isUnfolded(entries[at]?.value)));
    }
    return closed;
  }

  /**
   * Counts the minutes before the cursor again in which a record is late, or a run is no longer open. It sets
   * their cells from the records, so it may be repeated any number of times.
   */
  async #repair(
    entry: FoldEntry,
    late: readonly RecordRef[],
    closed: readonly RecordRef[],
  ): Promise<FoldEntry | undefined> {
    let current: FoldEntry | undefined = entry;
    if (late.length > MANY_LATE_RECORDS) current = await this.#repairRange(entry, late);
    const minutes = minutesOf(late.length > MANY_LATE_RECORDS ? closed : [...late, ...closed]);
    const isClosed = new Map<string, RecordRef[]>();
    for (const ref of closed) isClosed.set(minuteId(ref), [...(isClosed.get(minuteId(ref)) ?? []), ref]);
    const room = Math.floor((this.#stores.times.supports.maxOps - 2) / OPS_OF_REF);
    const most = Math.max(1, Math.min(REFS_AT_ONCE, room));
    for (let i = 0; i < minutes.length; i += most) {
      const some = minutes.slice(i, i + most);
      const tally = new Tally();
      await Promise.all(some.map((minute) => this.#addMinute(minute, tally)));
      const over = some.flatMap((ref) => isClosed.get(minuteId(ref)) ?? []);
      current = await this.#writeRepaired(current, tally, over);
    }
    return current;
  }

  async #repairRange(entry: FoldEntry, late: readonly RecordRef[]): Promise<FoldEntry | undefined> {
    const times = late.map(({ startTime }) => startTime).toSorted((a, b) => a - b);
    const tally = new Tally();
    const end = floorTo(times.at(-1) ?? 0, MINUTE) + MINUTE;
    for await (const page of this.#pages(floorTo(times[0] ?? 0, MINUTE), end))
      tally.addAll(await recordsUnder(this.#stores.jobs, page.map(recordKeyOf)));
    return this.#writeRepaired(entry, tally, []);
  }

  async #writeRepaired(
    entry: FoldEntry | undefined,
    tally: Tally,
    closed: readonly RecordRef[],
  ): Promise<FoldEntry | undefined> {
    if (entry?.state === undefined || !(await this.#mayContinue())) return undefined;
    const next = { ...entry.state, repairs: entry.state.repairs + 1 };
    return writeFolded(this.#stores.times, { tally, closed }, entry, next);
  }

  /** Adds all runs of a name that began in one minute. */
  async #addMinute({ name, startTime }: RecordRef, tally: Tally): Promise<void> {
    const range = { after: recordKey(name, startTime - 1), before: recordKey(name, startTime + MINUTE) };
    const { signal } = this.#closing;
    for await (const { value } of records(this.#stores.jobs, { prefix: { name }, ...range, signal }))
      if (value.startTime >= startTime) tally.add(value);
  }
}

/** The minutes of some records, each once, with the start of the minute as start time. */
function minutesOf(refs: readonly RecordRef[]): RecordRef[] {
  const minutes = refs.map((ref) => [minuteId(ref), { name: ref.name, startTime: floorTo(ref.startTime, MINUTE) }]);
  return [...new Map(minutes as [string, RecordRef][]).values()];
}

function minuteId({ startTime, name }: RecordRef): string {
  return `${floorTo(startTime, MINUTE)} ${name}`;
}
