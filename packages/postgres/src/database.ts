import { createHash } from "node:crypto";
import { connect } from "node:net";
import {
  type CallOptions,
  ChannelError,
  type Clock,
  durationText,
  isChannelError,
  type StoredEntry,
} from "@ojm/core/backend";
import { InFlight, pause } from "@ojm/core/internal";
import type { Pool, PoolClient } from "pg";
import { explain, isRefusal } from "./errors.js";
import type { Settings } from "./options.js";

/** The first and the longest pause before a call of a server that is away is tried again, in ms. */
const FIRST_PAUSE = 25;
const LONGEST_PAUSE = 400;

/** Begins the request to cancel a statement, in the place of the version of the protocol. */
const CANCEL_REQUEST = 80_877_102;

/** The names of prepared statements, by their text: stores in several schemas may share the caller's pool. */
const names: Map<string, string> = new Map();

function nameOf(text: string): string {
  const [verb] = text.trimStart().split(/\s/, 1);
  const name = names.get(text) ?? `ojm ${verb} ${createHash("sha1").update(text).digest("hex")}`;
  names.set(text, name);
  return name;
}

/** An entry or a change in columns of text, which no parser of the caller's `pg` can change. */
export interface EntryRow<Value = string> {
  readonly key: string;
  readonly value: Value;
  readonly version: string;
  readonly expires: string | null;
}

export function entryOf<Value>(row: EntryRow<Value>): Omit<StoredEntry, "value"> & { readonly value: Value } {
  const { key, value, version, expires } = row;
  return { key, value, version, ...(expires === null ? {} : { expiresIn: Math.max(0, Number(expires)) }) };
}

interface QueryOptions extends CallOptions {
  /** Called when the statement may reach the server. */
  readonly onSent?: () => void;
  /** When to give up, on the monotonic clock. Default: a deadline from now. */
  readonly end?: number;
  /** Whether the statement changes nothing, so that it may be sent again. */
  readonly isRead?: boolean;
}

/** Calls to one database, each within the deadline. */
export class Database {
  /** The server, for messages. */
  readonly where: string;
  /** The longest that a call may take, in ms. */
  readonly deadline: number;
  readonly clock: Clock;
  readonly #pool: Pool;
  /** Whether the pool is ours to close. */
  readonly #owned: boolean;
  readonly #calls: InFlight = new InFlight();
  #closed = false;
  /** Whether the server has answered: until then, the url may be wrong. */
  #wasThere = false;
  readonly #heard: WeakSet<PoolClient> = new WeakSet();
  /** The connections whose last commit did not wait for a synchronous replica. */
  readonly #unreplicated: WeakSet<PoolClient> = new WeakSet();

  constructor(pool: Pool, { where, deadline, pool: given }: Settings, clock: Clock) {
    this.where = where;
    this.deadline = deadline;
    this.clock = clock;
    this.#pool = pool;
    this.#owned = given === undefined;
    // Here an idle connection that breaks emits it.
    if (this.#owned) pool.on("error", ignore);
  }

  /** A connection, which the caller must release. `end`: when to give up, on the monotonic clock. */
  connect(end: number, signal?: AbortSignal): Promise<PoolClient> {
    return this.#calls.during(() => this.#connect(end, signal));
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

  /**
   * Runs a statement. With values, each connection prepares it once. Rejects with the error of the driver,
   * for {@link explain}, or a `ChannelError`. If the server is away, as during a restart, it waits for it.
   */
  query<Row>(text: string, values?: unknown[], options: QueryOptions = {}): Promise<Row[]> {
    return this.#calls.during(() => this.#query<Row>(text, values, options));
  }

  async #query<Row>(text: string, values: unknown[] | undefined, options: QueryOptions): Promise<Row[]> {
    const { signal, isRead = false, end = this.clock.monotonic() + this.deadline } = options;
    for (let longest = FIRST_PAUSE; ; longest = Math.min(2 * longest, LONGEST_PAUSE)) {
      try {
        return await this.#queryOnce<Row>(text, values, end, options);
      } catch (error) {
        const { code, outcome } = isChannelError(error) ? error : explain(error, this.where, !isRead);
        const isAway = this.#wasThere && code === "UNAVAILABLE" && outcome === "not-applied" && !isRefusal(error);
        // All processes lose their connections in the same moment, and must not return in the same moment.
        const ms = longest * (0.5 + Math.random() / 2);
        if (!isAway || this.clock.monotonic() + ms >= end) throw error;
        await pause(this.clock, ms, signal === undefined ? [] : [signal]);
      }
    }
  }

  async #queryOnce<Row>(
    text: string,
    values: unknown[] | undefined,
    end: number,
    { signal, onSent }: QueryOptions,
  ): Promise<Row[]> {
    const client = await this.connect(end, signal);
    try {
      onSent?.();
      const statement = values === undefined ? { text } : { name: nameOf(text), text, values };
      const { rows } = await this.within(client.query(statement), end, signal);
      this.#wasThere = true;
      // PostgreSQL reports success then, but the replica that is promoted may lack what was done or read.
      if (this.#unreplicated.has(client)) {
        const message = `${this.where}: an operator cancelled the wait for a synchronous replica`;
        throw new ChannelError("UNAVAILABLE", message, { retryable: true, outcome: "unknown" });
      }
      client.release();
      return rows as Row[];
    } catch (error) {
      // A call that was given up could wait for a lock or a replica for hours, and keep its connection.
      if (isChannelError(error)) this.#cancel(client);
      // A connection with an outstanding answer must not serve another call.
      client.release(!isRefusal(error));
      throw error;
    }
  }

  /** Makes the server end what it does for a connection, by another one: as `psql` after Ctrl-C. */
  #cancel(client: PoolClient): void {
    const { host, port, processID, secretKey } = client as PoolClient & Record<"processID" | "secretKey", unknown>;
    const words = [16, CANCEL_REQUEST, Number(processID), Number(secretKey)];
    // The caller's `pg` may have other clients, or keys.
    if (!words.every(Number.isInteger)) return;
    const request = Buffer.alloc(16);
    for (const [i, word] of words.entries()) request.writeInt32BE(word, 4 * i);
    const to = host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
    const socket = connect({ ...to, timeout: this.deadline }).unref();
    socket.on("error", ignore).on("timeout", () => void socket.destroy());
    socket.end(request);
  }

  /** Runs a statement that changes nothing. */
  async look<Row>(text: string, values?: unknown[], options?: CallOptions): Promise<Row[]> {
    try {
      return await this.query<Row>(text, values, { ...options, isRead: true });
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

  async close(): Promise<void> {
    this.#closed = true;
    await this.#calls.none();
    if (this.#owned) await this.#pool.end();
  }
}

function ignore(): void {}
