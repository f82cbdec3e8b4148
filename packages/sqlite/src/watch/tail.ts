import { isChannelError, type KeyRange, type StoredChange, type WatchSink } from "@ojm/core/backend";
import type { Database, Statement } from "better-sqlite3";
import { closedError, isBusy, toChannelError } from "../errors.js";
import type { CommitQueue } from "../store/commit-queue.js";
import type { Deadlines } from "../store/deadlines.js";
import type { Housekeeping } from "../store/housekeeping.js";
import type { Reader } from "../store/reader.js";
import type { ChangeLog, ChangeRow } from "./change-log.js";
import { isInRange } from "./order.js";
import { Wakeup } from "./wakeup.js";
import { LEASE, type Watchers } from "./watchers.js";

/** How many changes are told in one turn of the event loop. */
const PAGE = 200;

interface Subscription {
  readonly range: KeyRange;
  readonly sink: WatchSink;
  /** Changes up to this position are older than the watch. Infinity until the watch has begun. */
  since: number;
}

interface Ends {
  readonly logged: number;
  readonly trimmed: number;
  /** 1 as long as this process is in the table `watchers`. */
  readonly entered: number;
}

/** What the tail needs of its store. */
export interface TailStore {
  readonly file: string;
  readonly db: Database;
  readonly queue: CommitQueue;
  readonly reader: Reader;
  readonly deadlines: Deadlines;
  readonly log: ChangeLog;
  readonly watchers: Watchers;
  readonly housekeeping: Housekeeping;
}

/** Follows the log of changes for all watches of this process: one entry in `watchers`, one position, one wake-up. */
export class Tail {
  readonly #store: TailStore;
  readonly #wakeup: Wakeup;
  readonly #ends: Statement<[number], Ends>;
  readonly #subscriptions = new Set<Subscription>();
  /** Settles when this process is entered in `watchers`. Undefined while nobody watches. */
  #entering: Promise<void> | undefined;
  /** Counts the entries that were begun: one that was overtaken by a leave must not take effect. */
  #turn = 0;
  /** The row of this process in `watchers`; 0 as long as there is none. */
  #id = 0;
  #position = 0;
  #renewAt = 0;
  #busy = false;

  constructor(store: TailStore) {
    this.#store = store;
    this.#wakeup = new Wakeup(store.file, () => this.wake());
    this.#ends = store.db.prepare(
      "SELECT logged, trimmed, EXISTS (SELECT 1 FROM watchers WHERE id = ?) AS entered FROM meta",
    );
  }

  /** Resolves once every later commit, of any process, will be told to `sink`. The result ends the watch. */
  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    const subscription: Subscription = { range, sink, since: Number.POSITIVE_INFINITY };
    const stop = (): void => this.#remove(subscription);
    this.#subscriptions.add(subscription);
    try {
      this.#entering ??= this.#enter(false);
      await this.#entering;
    } catch (error) {
      stop();
      throw error;
    }
    if (!this.#subscriptions.has(subscription)) throw closedError(this.#store.file);
    subscription.since = this.#end();
    return stop;
  }

  /** Tells what is new. Called after every own commit, and whenever another process may have written. */
  wake(): void {
    if (this.#id === 0 || this.#busy) return;
    this.#busy = true;
    try {
      this.#tellNew();
    } catch (error) {
      this.#stumble(error);
    } finally {
      this.#busy = false;
    }
  }

  /** Ends all watches of the process. */
  close(): void {
    this.#subscriptions.clear();
    this.#leave();
  }

  #tellNew(): void {
    this.#store.housekeeping.checkFile();
    const ends = this.#readEnds();
    if (ends.entered === 0) {
      this.#enterAgain();
      return;
    }
    this.#renewInTime();
    if (ends.logged <= this.#position) return;
    const { trimmed, page } = this.#readPage();
    if (trimmed > this.#position) {
      this.#position = trimmed;
      this.#tellGap();
    }
    for (const row of page) this.#tell(row);
    if (page.length === PAGE) setImmediate(() => this.wake()).unref();
  }

  #readEnds(): Ends {
    const ends = this.#ends.get(this.#id);
    if (ends === undefined) throw new Error("the table meta is empty");
    return ends;
  }

  /** As of one moment: between two, another process could throw away what was not read yet. */
  #readPage(): { trimmed: number; page: ChangeRow[] } {
    return this.#store.reader.snapshot(() => {
      const { trimmed } = this.#readEnds();
      return { trimmed, page: this.#store.log.after(Math.max(trimmed, this.#position), PAGE) };
    });
  }

  /** The position up to which changes are older than now. */
  #end(): number {
    try {
      return this.#readEnds().logged;
    } catch {
      // Refused for a moment. Then the watch may be told of a few changes from before it began.
      return this.#position;
    }
  }

  #tell(row: ChangeRow): void {
    this.#position = row.position;
    const change = this.#toChange(row);
    for (const { range, sink, since } of this.#subscriptions) {
      if (row.position > since && isInRange(row.key, range)) sink.change(change);
    }
  }

  #toChange(row: ChangeRow): StoredChange {
    const { key, value } = row;
    const version = String(row.version);
    if (row.deadline === null) return { key, value, version };
    const expiresIn = this.#store.deadlines.left(row, this.#store.deadlines.now());
    return expiresIn > 0 ? { key, value, version, expiresIn } : { key, value: null, version };
  }

  #tellGap(): void {
    for (const { sink } of this.#subscriptions) sink.gap();
  }

  /** What passes by itself is left to the next wake-up, which comes soon. The rest ends the watches. */
  #stumble(error: unknown): void {
    if (isBusy(error)) return;
    const fault = toChannelError(error, this.#store.file);
    if (fault.retryable) return;
    const sinks = [...this.#subscriptions].map(({ sink }) => sink);
    this.close();
    for (const sink of sinks) sink.fail(fault);
  }

  async #enter(again: boolean): Promise<void> {
    const { queue, watchers } = this.#store;
    const turn = ++this.#turn;
    const { id, logged } = await queue.run((transaction) => ({
      id: watchers.enter(transaction),
      logged: transaction.logged,
    }));
    if (turn !== this.#turn) {
      this.#leaveAs(id);
      return;
    }
    this.#id = id;
    this.#position = logged;
    this.#renewAt = performance.now() + LEASE / 3;
    if (again) this.#tellGap();
    this.#wakeup.start();
    // What was committed since came before the wake-up was armed.
    this.wake();
  }

  /** This process was frozen for longer than its lease, and others took it for dead. */
  #enterAgain(): void {
    this.#wakeup.stop();
    this.#id = 0;
    const retry = (): void => {
      this.#entering = this.#enter(true);
      this.#entering.catch((error: unknown) => {
        if (isChannelError(error) && error.retryable && this.#subscriptions.size > 0) retry();
        else this.#stumble(error);
      });
    };
    retry();
  }

  #renewInTime(): void {
    const now = performance.now();
    if (now < this.#renewAt) return;
    this.#renewAt = now + LEASE / 3;
    const { queue, watchers } = this.#store;
    const id = this.#id;
    // Where this fails, the lease may end; then this process enters again and tells of a gap.
    queue.run((transaction) => watchers.renew(transaction, id)).catch(() => undefined);
  }

  #remove(subscription: Subscription): void {
    if (this.#subscriptions.delete(subscription) && this.#subscriptions.size === 0) this.#leave();
  }

  #leave(): void {
    this.#turn++;
    this.#entering = undefined;
    this.#wakeup.stop();
    if (this.#id !== 0) this.#leaveAs(this.#id);
    this.#id = 0;
  }

  #leaveAs(id: number): void {
    const { queue, watchers } = this.#store;
    // Where this fails, the lease ends by itself.
    queue.run((transaction) => watchers.leave(transaction, id)).catch(() => undefined);
  }
}
