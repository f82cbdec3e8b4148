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
export interface TailStore extends PresenceStore {
  readonly db: Database;
  readonly reader: Reader;
  readonly deadlines: Deadlines;
  readonly log: ChangeLog;
  readonly housekeeping: Housekeeping;
}

/** Follows the log of changes for all watches of this process: one presence among the watchers, one position. */
export class Tail {
  readonly #store: TailStore;
  readonly #presence: Presence;
  readonly #ends: Statement<[number], Ends>;
  readonly #subscriptions = new Set<Subscription>();
  #position = 0;
  #busy = false;
  /** Woken while busy: a sink that writes and reads at once brings about a commit of its own. */
  #again = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(store: TailStore) {
    this.#store = store;
    this.#presence = new Presence(store, {
      wake: () => this.wake(),
      entered: (logged, again) => this.#entered(logged, again),
      failed: (error) => this.#stumble(error),
    });
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

  /** Called after each write transaction that was committed: wakes those whom it concerns, and nobody else. */
  committed({ interested }: WriteTransaction): void {
    const { id } = this.#presence;
    // Before any sink is called: one that writes and reads at once brings about the next transaction, and with it another such set.
    for (const watcher of interested) if (watcher !== id) touchWakeFile(this.#store.file, watcher);
    const concerned = interested.has(id);
    this.#presence.settled();
    if (concerned) this.wake();
  }

  /** Tells what is new. Called after own commits, and whenever another process may have written. */
  wake(): void {
    if (this.#presence.id === 0) return;
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    try {
      // A sink may end all watches.
      while (this.#again && this.#presence.id !== 0) {
        this.#again = false;
        this.#tellNew();
      }
    } catch (error) {
      this.#stumble(error);
    } finally {
      this.#busy = false;
    }
  }

  /** Ends all watches of the process. */
  close(): void {
    clearTimeout(this.#retry);
    this.#subscriptions.clear();
    this.#presence.leave();
  }

  #entered(logged: number, again: boolean): void {
    this.#position = logged;
    if (again) this.#tellGap();
    // What was committed since came before the wake file was there.
    this.wake();
  }

  #tellNew(): void {
    this.#store.housekeeping.checkFile();
    const ends = this.#readEnds();
    if (ends.entered === 0) {
      this.#presence.enterAgain();
      return;
    }
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
    const ends = this.#ends.get(this.#presence.id);
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

  /** What passes by itself is left to the next look. The rest ends the watches. */
  #stumble(error: unknown): void {
    if (isBusy(error)) {
      // Nobody wakes a second time for the same commit.
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
