import type { Socket } from "node:net";
import type { KeyRange, WatchSink } from "@ojm/core/backend";
import type pg from "pg";
import { type Database, explain } from "./database.js";
import { bytes, fromRow, type Row } from "./rows.js";

const PAGE = 1_000;
const RETRY = 100;

/** What was committed after version $1 in some ranges, whole commits, and how far that is. Always at least one row. */
const CHANGES = `
select head.version as head, $1 < head.forgotten or $1 > head.version as gap, change.key, change.value, change.version,
  change.deadline - extract(epoch from statement_timestamp())::float8 * 1000 as expires_in
from ojm.head as head left join ojm.changes as change on change.version > $1 and exists (
  select from unnest($2::bytea[], $3::bytea[]) as range(low, high) where change.key >= low and change.key < high
) order by change.version fetch first ${PAGE} rows with ties`;

/** A row without a change has nulls for it. */
type ChangeRow = (Row | { readonly key: null; readonly version: null }) & { readonly head: string; gap: boolean };
type Watch = { readonly range: KeyRange; readonly sink: WatchSink };

/**
 * All watches of a backend, over one connection that listens. A notification says only that there was a commit; what was written is read from
 * the changes since the last look. So a lost connection misses nothing, unless it was away for longer than changes are kept.
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

  /** Comes to the present with those that watch already: what is committed after that is told to the new one too. */
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
    // A look that has not begun will see this too.
    if (this.#woken || this.#watches.size === 0) return;
    this.#woken = true;
    this.#look(() => {}).catch(() => {});
  };

  /** Tells what was committed since the last look, one look after the other, and then calls `done`. */
  #look<T>(done: () => T): Promise<T> {
    const { deadline, clock } = this.#database;
    const end = clock.monotonic() + deadline;
    // Also when nothing is heard: that is how a dead connection is found out.
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
        // What a later try does not mend ends the watches.
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

  /** Resolves to whether there may be more. */
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
    // A program that awaits nothing is not kept alive by its watches.
    (listener.connection.stream as Socket).unref();
    await this.#database.within(listener.query("listen ojm"), end);
    return listener;
  }

  #drop(): void {
    this.#listener?.release(true);
    this.#listener = undefined;
  }
}
