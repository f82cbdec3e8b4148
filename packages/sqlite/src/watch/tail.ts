import type { KeyRange, StoredChange, WatchSink } from "@ojm/core/backend";
import type { Database, Statement } from "better-sqlite3";
import { closedError, isBusy, toChannelError } from "../errors.js";
import { PAUSE } from "../patience.js";
import type { Deadlines } from "../store/deadlines.js";
import type { Housekeeping } from "../store/housekeeping.js";
import type { Reader } from "../store/reader.js";
import type { WriteTransaction } from "../store/transaction.js";
import type { ChangeLog, ChangeRow } from "./change-log.js";
import { isInRange } from "./order.js";
import { Presence, type PresenceStore } from "./presence.js";
import { touchWakeFile } from "./wake-file.js";

/** The most changes that are reported in one turn of the event loop. */
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
  /** 1 while this process is in the table `watchers`. */
  readonly entered: number;
}

/** The parts of the store that a tail uses. */
export interface TailStore extends PresenceStore {
  readonly db: Database;
  readonly reader: Reader;
  readonly deadlines: Deadlines;
  readonly log: ChangeLog;
  readonly housekeeping: Housekeeping;
}

/** Reads the change log for all watches of this process, with one row in `watchers` and one position. */
export class Tail {
  readonly #store: TailStore;
  readonly #presence: Presence;
  readonly #ends: Statement<[number], Ends>;
  readonly #subscriptions = new Set<Subscription>();
  #position = 0;
  #busy = false;
  /** Set by a wake while changes are being reported: a sink may write and then read. */
  #again = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(store: TailStore) {
    this.#store = store;
    this.#presence = new Presence(store, {
      wake: () => this.wake(),
      entered: (logged, again) => this.#entered(logged, again),
      failed: (error) => this.#handleError(error),
    });
    this.#ends = store.db.prepare(
      "SELECT logged, trimmed, EXISTS (SELECT 1 FROM watchers WHERE id = ?) AS entered FROM meta",
    );
  }

  /** Resolves once every later commit, of any process, reaches `sink`. Call the result to end it. */
  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    const subscription: Subscription = { range, sink, since: Number.POSITIVE_INFINITY };
    const stop = (): void => this.#remove(subscription);
    this.#subscriptions.add(subscription);
    try {
      await this.#presence.want(range);
    } catch (error) {
      stop();
      throw error;
    }
    if (!this.#subscriptions.has(subscription)) throw closedError(this.#store.file);
    subscription.since = this.#end();
    return stop;
  }

  /** Called inside each write transaction. */
  inside(transaction: WriteTransaction): void {
    this.#presence.settle(transaction);
  }

  /** Called after each committed write transaction. Wakes the watchers concerned, and no others. */
  committed({ interested }: WriteTransaction): void {
    const { id } = this.#presence;
    // Wake the others before any sink is called: the transaction of a sink may replace this set at once.
    for (const watcher of interested) if (watcher !== id) touchWakeFile(this.#store.file, watcher);
    const concerned = interested.has(id);
    this.#presence.settled();
    if (concerned) this.wake();
  }

  /** Reports new changes. Called after own commits, and whenever another process may have written. */
  wake(): void {
    if (this.#presence.id === 0) return;
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    try {
      // A sink may have ended all watches.
      while (this.#again && this.#presence.id !== 0) {
        this.#again = false;
        this.#reportNew();
      }
    } catch (error) {
      this.#handleError(error);
    } finally {
      this.#busy = false;
    }
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#subscriptions.clear();
    this.#presence.leave();
  }

  #entered(logged: number, again: boolean): void {
    this.#position = logged;
    if (again) this.#reportGap();
    // Read the log once: commits before the wake file existed did not wake this process.
    this.wake();
  }

  #reportNew(): void {
    this.#store.housekeeping.checkFiles();
    const ends = this.#readEnds();
    if (ends.entered === 0) {
      this.#presence.enterAgain();
      return;
    }
    if (ends.logged <= this.#position) return;
    const { trimmed, page } = this.#readPage();
    if (trimmed > this.#position) {
      this.#position = trimmed;
      this.#reportGap();
    }
    for (const row of page) this.#report(row);
    if (page.length === PAGE) setImmediate(() => this.wake()).unref();
  }

  #readEnds(): Ends {
    const ends = this.#ends.get(this.#presence.id);
    if (ends === undefined) throw new Error("the table meta is empty");
    return ends;
  }

  /** Reads both as of one moment: between two reads, another process could trim unread changes. */
  #readPage(): { trimmed: number; page: ChangeRow[] } {
    return this.#store.reader.snapshot(() => {
      const { trimmed } = this.#readEnds();
      return { trimmed, page: this.#store.log.after(Math.max(trimmed, this.#position), PAGE) };
    });
  }

  /** The position of the last change up to now. */
  #end(): number {
    try {
      return this.#readEnds().logged;
    } catch {
      // SQLite was busy. The watch may then report a few changes from before it began.
      return this.#position;
    }
  }

  #report(row: ChangeRow): void {
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

  #reportGap(): void {
    for (const { sink } of this.#subscriptions) sink.gap();
  }

  /** After a temporary error, the next poll tries again. Any other error ends the watches. */
  #handleError(error: unknown): void {
    if (isBusy(error)) {
      // Retry: this process is not woken twice for the same commit.
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.wake(), PAUSE).unref();
      return;
    }
    const fault = toChannelError(error, this.#store.file);
    if (fault.retryable) return;
    const sinks = [...this.#subscriptions].map(({ sink }) => sink);
    this.close();
    for (const sink of sinks) sink.fail(fault);
  }

  #remove(subscription: Subscription): void {
    if (this.#subscriptions.delete(subscription)) this.#presence.drop(subscription.range);
  }
}
