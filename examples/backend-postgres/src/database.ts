import { type CallOptions, ChannelError, type ChannelErrorCode, type Clock, isChannelError } from "@ojm/core/backend";
import pg from "pg";

/** Connections to one database. */
export class Database {
  readonly clock: Clock;
  readonly deadline: number;
  readonly #pool: pg.Pool;
  readonly #underWay: Set<Promise<unknown>> = new Set();

  constructor(connectionString: string, deadline: number, clock: Clock) {
    this.clock = clock;
    this.deadline = deadline;
    const timeouts = { connectionTimeoutMillis: deadline, statement_timeout: deadline };
    // The statements rely on these settings, whatever the database's defaults are.
    const options = "-c default_transaction_isolation=read\\ committed -c synchronous_commit=on -c jit=off";
    this.#pool = new pg.Pool({ connectionString, options, ...timeouts, keepAlive: true, allowExitOnIdle: true });
    // A broken connection also emits `error`, which ends the process without a listener.
    this.#pool.on("connect", (client) => client.on("error", () => {})).on("error", () => {});
  }

  /** A connection that the caller must release. `end`: when to give up, on the monotonic clock. */
  async connect(end: number, signal?: AbortSignal): Promise<pg.PoolClient> {
    const connecting = this.#pool.connect();
    return this.within(connecting, end, signal).catch((error: unknown) => {
      connecting.then((late) => late.release()).catch(() => {});
      throw explain(error, false);
    });
  }

  /** Returns the rows. A connection prepares a named one once. A write without an answer is `unknown`. */
  async query<Row>(statement: pg.QueryConfig, { signal }: CallOptions = {}, writes = false): Promise<Row[]> {
    const end = this.clock.monotonic() + this.deadline;
    const client = await this.connect(end, signal);
    try {
      const { rows } = await this.within(client.query(statement), end, signal);
      client.release();
      return rows as Row[];
    } catch (error) {
      // A connection with an outstanding answer must not serve another call.
      client.release(!isRefusal(error));
      throw explain(error, writes);
    }
  }

  /** Settles as `work` does, unless its time ends or `signal` fires first. */
  within<T>(work: Promise<T>, end: number, signal?: AbortSignal): Promise<T> {
    this.#underWay.add(work);
    return new Promise((resolve, reject) => {
      const stop = (code: ChannelErrorCode, message: string) => () =>
        reject(new ChannelError(code, message, { retryable: code === "TIMEOUT" }));
      const abort = stop("ABORTED", "the call was aborted");
      const late = stop("TIMEOUT", `PostgreSQL did not answer within ${this.deadline} ms`);
      const cancel = this.clock.after(end - this.clock.monotonic(), late, true);
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort);
      work.then(resolve, reject).finally(() => {
        this.#underWay.delete(work);
        signal?.removeEventListener("abort", abort);
        cancel();
      });
    });
  }

  async close(): Promise<void> {
    // The pool would forget the calls that wait for a connection.
    await Promise.allSettled(this.#underWay);
    await this.#pool.end();
  }
}

/**
 * By SQLSTATE: the code, and whether a retry may help. The last row: connections, races, limits, shutdown.
 */
const MEANINGS: readonly (readonly [RegExp, ChannelErrorCode, boolean])[] = [
  [/^(28|42501)/, "DENIED", false],
  [/^3D000/, "INVALID_CONFIG", false],
  [/^25006/, "READ_ONLY", true],
  [/^53100/, "FULL", false],
  [/^XX00[12]/, "CORRUPT", false],
  [/^(57014|55P03)/, "TIMEOUT", true],
  [/^(08|40|53|57)/, "UNAVAILABLE", true],
];

/** The server refused the statement and rolled it back. A graver error may come after the commit. */
function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === "ERROR";
}

/** Turns an error into a `ChannelError`. `sent`: a commit was in flight to the server. */
export function explain(error: unknown, sent: boolean): ChannelError {
  const outcome = sent && !isRefusal(error) ? "unknown" : "not-applied";
  const { message, code: state = "" } = error as Error & { code?: string };
  if (isChannelError(error)) return new ChannelError(error.code, message, { retryable: error.retryable, outcome });
  const details = { retryable: true, outcome, cause: error } as const;
  if (!(error instanceof pg.DatabaseError)) {
    return new ChannelError(
      "UNAVAILABLE",
      `PostgreSQL cannot be reached: ${message || state}. Is "url" right?`,
      details,
    );
  }
  const [, code, retryable] = MEANINGS.find(([pattern]) => pattern.test(state)) ?? [/./, "FAILED", false];
  return new ChannelError(code, `PostgreSQL says: ${message} (${state})`, { ...details, retryable });
}
