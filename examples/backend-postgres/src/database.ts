import {
  type CallOptions,
  ChannelError,
  type ChannelErrorCode,
  type Clock,
  isChannelError,
  type StoredEntry,
} from "@ojm/core/backend";
import pg from "pg";

/** Connections to one database. */
export class Database {
  readonly deadline: number;
  readonly clock: Clock;
  readonly #config: pg.ClientConfig;
  readonly #pool: pg.Pool;

  constructor(connectionString: string, deadline: number, clock: Clock) {
    this.deadline = deadline;
    this.clock = clock;
    // What the statements rely on, whatever the database has for a default.
    const options = "-c default_transaction_isolation=read\\ committed -c synchronous_commit=on -c jit=off";
    const [connectionTimeoutMillis, statement_timeout] = [deadline, deadline];
    this.#config = { connectionString, connectionTimeoutMillis, statement_timeout, options, keepAlive: true };
    this.#pool = new pg.Pool({ ...this.#config, allowExitOnIdle: true });
    // A connection that breaks says so in an event too, which ends the process if nobody listens.
    this.#pool.on("connect", (client) => client.on("error", () => {})).on("error", () => {});
  }

  /** A connection of its own, not yet connected. */
  client(): pg.Client {
    return new pg.Client(this.#config).on("error", () => {});
  }

  /** The rows of a statement, which a connection prepares once if it has a name. With `writes`, no answer means outcome `unknown`. */
  async query<R>(
    statement: pg.QueryConfig,
    { signal, writes = false }: CallOptions & { writes?: boolean } = {},
  ): Promise<R[]> {
    const held: { client?: pg.PoolClient; late?: boolean } = {};
    const query = async () => {
      const client = await this.#pool.connect();
      if (held.late) client.release();
      else held.client = client;
      return held.client?.query(statement);
    };
    try {
      const result = await this.within(query(), this.deadline, signal);
      held.client?.release();
      return result?.rows ?? [];
    } catch (error) {
      held.late = true;
      // A connection whose answer is still to come is of no use to anybody.
      held.client?.release(!isRefusal(error));
      throw explain(error, writes && held.client !== undefined);
    }
  }

  /** What `work` comes to, unless `ms` pass or `signal` fires before. */
  within<T>(work: Promise<T>, ms: number, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void =>
        reject(new ChannelError("TIMEOUT", "PostgreSQL did not answer in time", { retryable: true }));
      const abort = (): void => reject(new ChannelError("ABORTED", "the call was aborted", { cause: signal?.reason }));
      const cancel = this.clock.after(ms, late, true);
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort);
      work.then(resolve, reject).finally(() => {
        cancel();
        signal?.removeEventListener("abort", abort);
      });
    });
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

type Meaning = readonly [code: ChannelErrorCode, retryable: boolean];
const AWAY: Meaning = ["UNAVAILABLE", true];

/** By SQLSTATE, or its first two characters, which stand for lost connections, lost races, too many connections, and a server that stops. */
const REFUSALS: Readonly<Record<string, Meaning>> = {
  ...{ "08": AWAY, "40": AWAY, "53": AWAY, "57": AWAY, "57014": ["TIMEOUT", true], "55P03": ["TIMEOUT", true] },
  ...{ "28": ["DENIED", false], "42501": ["DENIED", false], "3D000": ["INVALID_CONFIG", false] },
  ...{ "25006": ["READ_ONLY", true], "53100": ["FULL", false], XX001: ["CORRUPT", false], XX002: ["CORRUPT", false] },
};

/** The server refused the statement and rolled it back. Anything graver ends the connection, and may come after the commit. */
function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === "ERROR";
}

/** What an error means for the caller. `sent`: a commit was on its way to the server. */
export function explain(error: unknown, sent: boolean): ChannelError {
  const outcome = sent && !isRefusal(error) ? "unknown" : "not-applied";
  if (isChannelError(error))
    return new ChannelError(error.code, error.message, { ...error, outcome, cause: error.cause });
  const { message, code: state = "" } = error as Error & { code?: string };
  const refusal = error instanceof pg.DatabaseError;
  const [code, retryable] = refusal ? (REFUSALS[state] ?? REFUSALS[state.slice(0, 2)] ?? ["FAILED", false]) : AWAY;
  const advice = refusal ? "" : ': it cannot be reached. Is it running, and is "url" right?';
  return new ChannelError(code, `PostgreSQL says ${message} (${state})${advice}`, { retryable, outcome, cause: error });
}

export const toBytes = (text: string): Buffer => Buffer.from(text, "utf8");

/** An entry or a change as it is read, with nulls for what is not there. `expires_in`: milliseconds. */
export type Row = Readonly<{ key: Buffer; value: Buffer | null; version: string; expires_in: number | null }>;

/** What entries and changes have in common. */
export function fromRow<V>(
  { key, version, expires_in }: Row,
  value: V,
): Omit<StoredEntry, "value"> & { readonly value: V } {
  return { key: key.toString(), value, version, ...(expires_in === null ? {} : { expiresIn: expires_in }) };
}
