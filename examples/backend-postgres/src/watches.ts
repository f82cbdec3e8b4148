import type { Socket } from "node:net";
import type { KeyRange, WatchSink } from "@ojm/core/backend";
import type pg from "pg";
import { type Database, explain } from "./database.js";
import { bytes, fromRow, type Row } from "./rows.js";

const PAGE = 1_000;
const RETRY = 100;

/**
 * The whole commits after version $1 in some ranges, and the head version. Always returns at least one row.
 */
const CHANGES = `
select head.version as head, $1 < head.forgotten or $1 > head.version as gap, change.key, change.value, change.version,
  change.deadline - extract(epoch from statement_timestamp())::float8 * 1000 as expires_in
from ojm.head as head left join ojm.changes as change on change.version > $1 and exists (
  select from unnest($2::bytea[], $3::bytea[]) as range(low, high) where change.key >= low and change.key < high
) order by change.version fetch first ${PAGE} rows with ties`;

/** In a row without a change, its columns are null. */
type ChangeRow = (Row | { readonly key: null; readonly version: null }) & { readonly head: string; gap: boolean };
type Watch = { readonly range: KeyRange; readonly sink: WatchSink };

/**
 * All watches of a backend, over one listening connection. A notification says only that there was a commit;
 * a look reads the changes since the last look. A lost connection misses nothing, if it is back within a
 * minute.
 */
export class Watches {
  readonly #database: Database;
  readonly #watches: Set<Watch> = new Set();
  #listener: pg.PoolClient | undefined;
  #last = "0";
  #turn: Promise<unknown> = Promise.resolve();
  #woken = false;
  #cancelWake: () => void = () => {};

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds a watch after a look. The new watch receives every commit after that look. */
  add(range: KeyRange, sink: WatchSink): Promise<() => void> {
    return this.#look(() => {
      const watch = { range, sink };
      this.#watches.add(watch);
      return () => void this.#watches.delete(watch);
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#watches.clear();
    this.#cancelWake();
    this.#drop();
  }

  readonly #wake = (): void => {
    // A look that has not begun will see this commit too.
    if (this.#woken || this.#watches.size === 0) return;
    this.#woken = true;
    this.#look(() => {}).catch(() => {});
  };

  /** Reports the commits since the last look, then calls `done`. Looks run one after the other. */
  #look<T>(done: () => T): Promise<T> {
    const { deadline, clock } = this.#database;
    const end = clock.monotonic() + deadline;
    // Also looks without a notification, which finds a dead connection.
    let again = deadline;
    const look = this.#turn.then(async () => {
      this.#woken = false;
      try {
        const listener = await this.#listen(end);
        while (await this.#database.within(this.#tellPage(listener), end));
        return done();
      } catch (error) {
        this.#drop();
        again = RETRY;
        const fault = explain(error, false);
        // A fault that a retry cannot fix ends the watches.
        for (const watch of fault.retryable ? [] : this.#watches)
          if (this.#watches.delete(watch)) watch.sink.fail(fault);
        throw fault;
      } finally {
        this.#cancelWake();
        if (this.#watches.size > 0) this.#cancelWake = clock.after(again, this.#wake);
      }
    });
    this.#turn = look.catch(() => {});
    return look;
  }

  /** Resolves to true if there may be more. */
  async #tellPage(listener: pg.PoolClient): Promise<boolean> {
    const ranges = [...this.#watches].map(({ range }) => range);
    const values = [this.#last, ranges.map(({ from }) => bytes(from)), ranges.map(({ to }) => bytes(to))];
    const { rows } = await listener.query<ChangeRow>({ name: "changes", text: CHANGES, values });
    const { gap = false, head = this.#last } = rows[0] ?? {};
    const more = rows.length >= PAGE && !gap;
    this.#last = (more ? rows.at(-1)?.version : head) ?? head;
    if (gap) for (const { sink } of this.#watches) sink.gap();
    for (const row of gap ? [] : rows.filter((row) => row.key !== null)) {
      const told = fromRow(row, row.value?.toString() ?? null);
      for (const { range, sink } of this.#watches) if (told.key >= range.from && told.key < range.to) sink.change(told);
    }
    return more;
  }

  async #listen(end: number): Promise<pg.PoolClient> {
    if (this.#listener !== undefined) return this.#listener;
    const listener = await this.#database.connect(end);
    this.#listener = listener.on("notification", this.#wake).on("end", this.#wake);
    // Watches do not keep a program alive that awaits nothing.
    (listener.connection.stream as Socket).unref();
    await this.#database.within(listener.query("listen ojm"), end);
    return listener;
  }

  #drop(): void {
    this.#listener?.release(true);
    this.#listener = undefined;
  }
}
