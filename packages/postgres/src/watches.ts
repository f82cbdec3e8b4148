import type { Socket } from "node:net";
import { ChannelError, type KeyRange, onlyKeyOf, type StoredChange, type WatchSink } from "@ojm/core/backend";
import type { PoolClient } from "pg";
import { type Database, type EntryRow, entryOf } from "./database.js";
import { explain } from "./errors.js";
import { type Names, WATCHER_LIFE } from "./sql.js";

/** The most changes that one poll reads. If there are more, the watches get a gap instead. */
const MOST_CHANGES = 10_000;

/** How often to poll while notifications arrive, in ms: the server may end a commit before it notifies. */
const POLL_NOTIFIED = 10_000;

/** The shortest and the longest pause between two polls without notifications, in ms. */
const POLL_OFTEN = 25;
const POLL_SELDOM = 1_000;

/** How often the process says that it lives, in ms. */
const RENEW_EVERY: number = WATCHER_LIFE / 6;

interface Watch {
  readonly range: KeyRange;
  readonly sink: WatchSink;
}

/** A row of a poll. `alive`: whether the process is registered. `changed`: whether there is a change. */
interface ChangeRow extends EntryRow<string | null> {
  readonly alive: boolean;
  readonly changed: boolean;
}

/**
 * All watches of a backend. A commit adds a row to `changes` for each process that watches one of its keys,
 * and notifies that process, which reads the rows after the last version that it has seen. Commits become
 * visible in the order of their versions, so none can be missed, whatever other transactions are open.
 *
 * One connection listens. Notifications only wake: without them, as behind a pooler, polls find the rows.
 */
export class Watches {
  readonly #database: Database;
  readonly #schema: string;
  readonly #watches: Set<Watch> = new Set();
  /** The number of this process in the database, once it is registered. */
  #id: string | undefined;
  /** Registrations and their ends run one after the other, in the order of the calls. */
  #last: Promise<unknown> = Promise.resolve();
  /** The last version that was read. */
  #seen = "0";
  #listener: PoolClient | undefined;
  /** Whether a notification has arrived on the present listener. */
  #isNotified = false;
  #pause: number = POLL_OFTEN;
  #nextRenewal = 0;
  #polling = false;
  #pollAgain = false;
  #cancelPoll: () => void = () => {};
  #closed = false;

  constructor(database: Database, { schema }: Names) {
    this.#database = database;
    this.#schema = schema;
  }

  /** See `Backend.watch`. */
  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    const watch = { range, sink };
    // Before the call: a change may arrive before its answer.
    this.#watches.add(watch);
    try {
      await this.#inTurn((end) => this.#register(watch, end));
    } catch (error) {
      this.#watches.delete(watch);
      throw explain(error, this.#database.where, false);
    }
    if (this.#listener === undefined) this.#pollNow();
    else this.#schedule();
    return () => this.#leave(watch);
  }

  close(): void {
    this.#closed = true;
    this.#watches.clear();
    this.#cancelPoll();
    this.#drop();
    const text =
      `with own as (delete from ${this.#schema}.watchers where id = $1::bigint) ` +
      `delete from ${this.#schema}.watched where watcher = $1::bigint`;
    // If this fails, the rows end with the life of the watcher.
    if (this.#id !== undefined) this.#database.query(text, [this.#id]).catch(() => {});
  }

  /** Calls `work` with the time at which to give up, which counts from now: others may take long before. */
  #inTurn(work: (end: number) => Promise<void>): Promise<void> {
    const end = this.#end();
    const done = this.#last.then(() => work(end));
    this.#last = done.catch(() => {});
    return done;
  }

  #end(): number {
    return this.#database.clock.monotonic() + this.#database.deadline;
  }

  async #register(watch: Watch, end: number): Promise<void> {
    if (this.#closed) throw new ChannelError("CLOSED", "the channel was closed");
    const isNew = this.#id === undefined;
    const { from, to } = watch.range;
    const values = [this.#id ?? null, onlyKeyOf(watch.range) === undefined, boundOf(from), boundOf(to)];
    const text = `select id::text, seen::text from ${this.#schema}.watch($1::bigint, $2::boolean, $3::text, $4::text)`;
    type Row = { readonly id: string | null; readonly seen: string };
    const [{ id, seen }] = (await this.#database.query(text, values, { end })) as [Row];
    // It was taken for dead. All other watches register again, and this one with them.
    if (id === null) return this.#startAgain(this.#id, watch);
    if (!isNew) return;
    [this.#id, this.#seen] = [id, seen];
    this.#nextRenewal = this.#database.clock.monotonic() + RENEW_EVERY;
  }

  #leave(watch: Watch): void {
    if (!this.#watches.delete(watch) || this.#closed) return;
    const { from, to } = watch.range;
    this.#inTurn(async (end) => {
      const isShared = [...this.#watches].some(({ range }) => range.from === from && range.to === to);
      const text = `delete from ${this.#schema}.watched where watcher = $1::bigint and low = $2 and high = $3`;
      const values = [this.#id, boundOf(from), boundOf(to)];
      if (!isShared && this.#id !== undefined) await this.#database.query(text, values, { end });
    }).catch(() => {}); // a row that is left ends with the process
    if (this.#watches.size === 0) this.#schedule();
  }

  /**
   * Registers all watches under a new number, unless that was done. They have missed the changes since the
   * last read, except `fresh`, which begins now.
   */
  async #startAgain(dead: string | undefined, fresh?: Watch): Promise<void> {
    if (this.#id !== dead || this.#closed) return;
    this.#id = undefined;
    this.#drop();
    try {
      for (const watch of this.#watches) await this.#register(watch, this.#end());
    } catch (error) {
      // The next poll tries again: otherwise the other ranges would be missing.
      this.#id = undefined;
      throw error;
    }
    for (const watch of this.#watches) if (watch !== fresh) watch.sink.gap();
  }

  readonly #wake = (): void => {
    this.#isNotified = true;
    this.#pollNow();
  };

  #pollNow(): void {
    this.#pollAgain = this.#polling;
    if (!this.#polling && !this.#closed && this.#watches.size > 0) void this.#pollOnce();
  }

  /** Plans the next poll. Without watches, it plans to stop listening: the next watch may come soon. */
  #schedule(): void {
    if (this.#polling || this.#closed) return;
    this.#cancelPoll();
    const isIdle = this.#watches.size === 0;
    const pause = isIdle || this.#isNotified ? POLL_NOTIFIED : this.#pause;
    this.#cancelPoll = this.#database.clock.after(pause, () => (isIdle ? this.#drop() : this.#pollNow()));
  }

  async #pollOnce(): Promise<void> {
    this.#polling = true;
    this.#cancelPoll();
    try {
      if (this.#listener === undefined) await this.#listen();
      do {
        this.#pollAgain = false;
        const found = await this.#read();
        this.#pause = found ? POLL_OFTEN : Math.min(POLL_SELDOM, this.#pause * 2);
      } while (this.#pollAgain && !this.#closed);
    } catch (error) {
      this.#pause = POLL_SELDOM;
      this.#drop();
      const fault = explain(error, this.#database.where, false);
      // Only what the operator must change ends the watches.
      if (!fault.retryable && !this.#closed)
        for (const watch of this.#watches) {
          this.#watches.delete(watch);
          watch.sink.fail(fault);
        }
    } finally {
      this.#polling = false;
      this.#schedule();
    }
  }

  /** Reads and reports the new changes. Resolves to whether there were any. */
  async #read(): Promise<boolean> {
    const { clock } = this.#database;
    const id = this.#id;
    const text = `
select watchers.id is not null as alive, key is not null as changed, key, value, version::text,
  (extract(epoch from change.expires - clock_timestamp()) * 1000)::text as expires
from (select $1::bigint as me where not pg_is_in_recovery()) as own
left join ${this.#schema}.watchers on id = me left join lateral (
  select * from ${this.#schema}.changes where watcher = me and version > $2::bigint order by version limit ${MOST_CHANGES + 1}
) as change on true order by version`;
    const rows = id === undefined ? [] : await this.#database.query<ChangeRow>(text, [id, this.#seen]);
    if (id !== this.#id || this.#closed) return true;
    const [first] = rows;
    if (first === undefined || !first.alive) {
      await this.#inTurn(() => this.#startAgain(id));
      return true;
    }
    if (first.changed) this.#seen = rows.at(-1)?.version ?? this.#seen;
    if (rows.length > MOST_CHANGES) for (const { sink } of this.#watches) sink.gap();
    else if (first.changed) for (const row of rows) this.#report(entryOf(row));
    if (clock.monotonic() >= this.#nextRenewal) {
      this.#nextRenewal = clock.monotonic() + RENEW_EVERY;
      await this.#database.query(`select ${this.#schema}.renew($1::bigint, $2::bigint)`, [id, this.#seen]);
    }
    return first.changed;
  }

  #report(change: StoredChange): void {
    for (const { range, sink } of this.#watches)
      if (change.key >= range.from && change.key < range.to) sink.change(change);
  }

  async #listen(): Promise<void> {
    const id = this.#id;
    if (id === undefined) return;
    const end = this.#end();
    const listener = await this.#database.connect(end);
    if (this.#closed || id !== this.#id) return listener.release();
    this.#listener = listener;
    this.#isNotified = false;
    listener.on("end", () => {
      if (listener !== this.#listener) return;
      this.#drop();
      this.#pollNow();
    });
    // Watches do not keep a program alive that awaits nothing.
    (listener.connection.stream as Socket).unref();
    await this.#database.within(listener.query(`listen ojm_${id}`), end);
    // A pooler accepts LISTEN, and delivers only what comes during that call: a notification of another
    // connection shows whether more arrive.
    listener.on("notification", this.#wake);
    await this.#database.query(`notify ojm_${id}`, undefined, { end });
  }

  #drop(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#isNotified = false;
    listener?.removeListener("notification", this.#wake);
    listener?.release(true);
  }
}

/** A bound of a range, as the server can have it: a text without NUL. No key has a control character. */
export function boundOf(bound: string): string {
  return bound.replaceAll("\0", "\x01");
}
