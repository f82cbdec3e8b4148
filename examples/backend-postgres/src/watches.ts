import type { Socket } from "node:net";
import type { KeyRange, WatchSink } from "@ojm/core/backend";
import type pg from "pg";
import { type Database, explain, fromRow, type Row, toBytes } from "./database.js";

const PAGE = 1_000;
const RETRY = 100;

/** What was committed after version $1 in some ranges, whole commits, and how far that is. Always at least one row. */
const CHANGES = `
select head.version as head, $1 < head.forgotten or $1 > head.version as gap, change.key, change.value, change.version,
  change.deadline - extract(epoch from statement_timestamp())::float8 * 1000 as expires_in
from ojm.head as head left join ojm.changes as change on change.version > $1 and exists (
  select from unnest($2::bytea[], $3::bytea[]) as range(low, high) where change.key >= low and change.key < high
) order by change.version fetch first ${PAGE} rows with ties`;

type Watch = { readonly range: KeyRange; readonly sink: WatchSink };
type ChangeRow = (Row | { readonly key: null; readonly version: null }) & {
  readonly head: string;
  readonly gap: boolean;
};

/**
 * All watches of a backend, over one connection that listens. A notification says only that there was a commit; what was written is read from
 * the changes since the last look. So a lost connection misses nothing, unless it was away for longer than changes are kept.
 */
export class Watches {
  readonly #database: Database;
  readonly #watches: Set<Watch> = new Set();
  #listener: pg.Client | undefined;
  #last = "0";
  #turn: Promise<unknown> = Promise.resolve();
  #woken = false;
  #closed = false;
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

  close(): void {
    this.#closed = true;
    this.#watches.clear();
    this.#drop();
    this.#cancelWake();
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
    const look = this.#turn.then(async () => {
      this.#woken = false;
      // Also when nothing is heard: that is how a dead connection is found out.
      let again = deadline;
      try {
        await this.#database.within(this.#tellAll(), end - clock.monotonic());
        return done();
      } catch (error) {
        this.#drop();
        again = RETRY;
        const fault = explain(error, false);
        if (!fault.retryable) for (const { sink } of this.#watches) sink.fail(fault);
        throw fault;
      } finally {
        this.#cancelWake();
        if (this.#watches.size > 0) this.#cancelWake = clock.after(again, this.#wake);
      }
    });
    this.#turn = look.catch(() => {});
    return look;
  }

  async #tellAll(): Promise<void> {
    const listener = this.#listener ?? (await this.#listen());
    for (let more = true; more; ) {
      const ranges = [...this.#watches].map(({ range }) => range);
      const values = [this.#last, ranges.map(({ from }) => toBytes(from)), ranges.map(({ to }) => toBytes(to))];
      const { rows } = await listener.query<ChangeRow>({ name: "changes", text: CHANGES, values });
      const { gap = false, head = "0" } = rows[0] ?? {};
      more = rows.length >= PAGE && !gap;
      this.#last = (more ? rows.at(-1)?.version : head) ?? head;
      for (const watch of this.#watches) {
        if (gap) watch.sink.gap();
        else for (const row of rows) if (row.key !== null && this.#watches.has(watch)) tell(watch, row);
      }
    }
  }

  async #listen(): Promise<pg.Client> {
    if (this.#closed) throw new Error("the watches were closed");
    const client = this.#database.client();
    this.#listener = client;
    client.on("notification", this.#wake);
    await client.connect();
    await client.query("listen ojm");
    client.on("end", () => {
      if (this.#listener !== client) return;
      this.#listener = undefined;
      this.#wake();
    });
    // A program that awaits nothing is not kept alive by its watches.
    (client.connection.stream as Socket).unref();
    return client;
  }

  /** Without a farewell, for which a server that is gone would be waited for. */
  #drop(): void {
    this.#listener?.connection.stream.destroy();
    this.#listener = undefined;
  }
}

function tell({ range: { from, to }, sink }: Watch, row: Row): void {
  const change = fromRow(row, row.value?.toString() ?? null);
  if (change.key >= from && change.key < to) sink.change(change);
}
