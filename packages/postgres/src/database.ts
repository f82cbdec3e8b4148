import { type CallOptions, ChannelError, type Clock, durationText } from "@ojm/core/backend";
import type { Pool, PoolClient, QueryConfig } from "pg";
import { explain, isRefusal } from "./errors.js";

export interface DatabaseOptions {
  readonly pool: Pool;
  /** Whether the pool is ours to close. */
  readonly owned: boolean;
  /** The server, for messages. */
  readonly where: string;
  /** The longest that a call may take, in ms. */
  readonly deadline: number;
  readonly clock: Clock;
}

/** A statement. With a name, each connection prepares it once. */
export type Statement = Pick<QueryConfig, "name" | "text">;

interface QueryOptions extends CallOptions {
  /** Called when the statement may reach the server. */
  readonly onSent?: () => void;
  /** When to give up, on the monotonic clock. Default: a deadline from now. */
  readonly end?: number;
}

/** Calls to one database, each within the deadline. */
export class Database {
  readonly where: string;
  readonly deadline: number;
  readonly clock: Clock;
  readonly #pool: Pool;
  readonly #owned: boolean;
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #closed = false;
  readonly #heard: WeakSet<PoolClient> = new WeakSet();
  /** The connections whose last commit did not wait for a synchronous replica. */
  readonly #unreplicated: WeakSet<PoolClient> = new WeakSet();

  constructor({ pool, owned, where, deadline, clock }: DatabaseOptions) {
    this.where = where;
    this.deadline = deadline;
    this.clock = clock;
    this.#pool = pool;
    this.#owned = owned;
    // Here an idle connection that breaks emits it.
    if (owned) pool.on("error", ignore);
  }

  /** A connection, which the caller must release. `end`: when to give up, on the monotonic clock. */
  connect(end: number, signal?: AbortSignal): Promise<PoolClient> {
    return this.#track(this.#connect(end, signal));
  }

  async #connect(end: number, signal: AbortSignal | undefined): Promise<PoolClient> {
    // A pool that ends forgets the calls that wait for a connection: they would hang.
    if (this.#closed) throw new ChannelError("CLOSED", `${this.where}: the channel was closed`);
    const connecting = new Promise<PoolClient>((resolve, reject) => {
      this.#pool.connect((error, client) => {
        if (client === undefined) return reject(error);
        // A connection that breaks while it is in use emits `error` too: without a listener the process ends.
        // After an await it is too late: the same packet may say that the server ends the connection.
        this.#hear(client);
        resolve(client);
      });
    });
    try {
      return await this.within(connecting, end, signal);
    } catch (error) {
      connecting.then((late) => late.release()).catch(() => {});
      throw explain(error, this.where, false);
    }
  }

  #hear(client: PoolClient): void {
    if (this.#heard.has(client)) return;
    this.#heard.add(client);
    client.on("error", ignore).on("notice", ({ routine }) => {
      if (routine === "SyncRepWaitForLSN") this.#unreplicated.add(client);
    });
  }

  /** Runs a statement. Rejects with the error of the driver, for {@link explain}, or a `ChannelError`. */
  query<Row>(statement: Statement, values?: unknown[], options: QueryOptions = {}): Promise<Row[]> {
    return this.#track(this.#query<Row>(statement, values, options));
  }

  async #query<Row>(statement: Statement, values: unknown[] | undefined, options: QueryOptions): Promise<Row[]> {
    const { signal, onSent, end = this.clock.monotonic() + this.deadline } = options;
    const client = await this.connect(end, signal);
    try {
      onSent?.();
      const { rows } = await this.within(client.query({ ...statement, ...(values && { values }) }), end, signal);
      // PostgreSQL reports success then, but the replica that is promoted may lack what was done or read.
      if (this.#unreplicated.has(client)) {
        const message = `${this.where}: an operator cancelled the wait for a synchronous replica`;
        throw new ChannelError("UNAVAILABLE", message, { retryable: true });
      }
      client.release();
      return rows as Row[];
    } catch (error) {
      // A connection with an outstanding answer must not serve another call.
      client.release(!isRefusal(error));
      throw error;
    }
  }

  /** Runs a statement that changes nothing. */
  async look<Row>(statement: Statement, values?: unknown[], options?: CallOptions): Promise<Row[]> {
    try {
      return await this.query<Row>(statement, values, options);
    } catch (error) {
      throw explain(error, this.where, false);
    }
  }

  /** Settles as `work` does, unless its time ends or `signal` fires first. */
  within<T>(work: Promise<T>, end: number, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => {
        const message = `${this.where} did not answer within ${durationText(this.deadline)}`;
        reject(new ChannelError("TIMEOUT", message, { retryable: true }));
      };
      const abort = (): void =>
        reject(new ChannelError("ABORTED", "the call was aborted by its signal", { cause: signal?.reason }));
      const cancel = this.clock.after(end - this.clock.monotonic(), late, true);
      const done = (): void => {
        signal?.removeEventListener("abort", abort);
        cancel();
      };
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort);
      work.then(resolve, reject).finally(done);
    });
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const over = (): void => void this.#underWay.delete(work);
    work.then(over, over);
    return work;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    if (this.#owned) await this.#pool.end();
  }
}

function ignore(): void {}
