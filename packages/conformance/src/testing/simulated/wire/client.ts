import type {
  Backend,
  Commit,
  CommitOutcome,
  KeyRange,
  ScanPage,
  ScanRequest,
  StoredEntry,
  Supports,
  WatchSink,
} from "@ojm/core/backend";
import { supports } from "../client.js";
import { Connection, type Way } from "./connection.js";

interface Watch {
  readonly range: KeyRange;
  readonly sink: WatchSink;
  /** The id of the watch on the present connection. */
  id: number;
}

/** A backend over a {@link Host}: a small model of a careful network backend. */
export class WireClient implements Backend {
  readonly supports: Supports = supports;
  readonly #way: Way;
  readonly #watches: Set<Watch> = new Set();
  #connection: Connection | undefined;
  #closed = false;

  constructor(way: Way) {
    this.#way = way;
  }

  #connected(): Connection {
    if (this.#connection === undefined || this.#connection.lost) {
      this.#connection = new Connection(
        this.#way,
        (id, change) => {
          for (const watch of this.#watches) if (watch.id === id) watch.sink.change(change);
        },
        () => this.#lost(),
      );
    }
    return this.#connection;
  }

  #lost(): void {
    if (this.#closed || this.#watches.size === 0) return;
    setTimeout(() => void this.#watchAgain().catch(() => {}), 20);
  }

  async #watchAgain(): Promise<void> {
    if (this.#closed) return;
    const connection = this.#connected();
    for (const watch of this.#watches) {
      watch.id = 0;
      await this.#begin(connection, watch);
      watch.sink.gap();
    }
  }

  async #begin(connection: Connection, watch: Watch): Promise<void> {
    try {
      watch.id = (await connection.ask({ watch: watch.range }, "not-applied")).id;
    } catch (error) {
      // Give up a connection that does not answer, so that a late answer or change cannot arrive on it.
      connection.close();
      throw error;
    }
  }

  async read(keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    const { answer } = await this.#connected().ask({ read: keys }, "not-applied");
    return (answer as (StoredEntry | null)[]).map((entry) => entry ?? undefined);
  }

  async scan(request: ScanRequest): Promise<ScanPage> {
    return (await this.#connected().ask({ scan: request }, "not-applied")).answer as ScanPage;
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const outcome = (await this.#connected().ask({ commit }, "unknown")).answer as CommitOutcome;
    return outcome.ok ? outcome : { ok: false, current: outcome.current.map((entry) => entry ?? undefined) };
  }

  async watch(range: KeyRange, sink: WatchSink): Promise<() => void> {
    const watch: Watch = { range, sink, id: 0 };
    await this.#begin(this.#connected(), watch);
    this.#watches.add(watch);
    return () => void this.#watches.delete(watch);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watches.clear();
    this.#connection?.close();
  }
}

/** Opens a client. Another process imports this module and calls it. */
export async function client(way: Way): Promise<Backend> {
  return new WireClient(way);
}
