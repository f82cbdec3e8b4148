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
    // What the statements rely on, whatever the database has for a default.
    const options = "-c default_transaction_isolation=read\\ committed -c synchronous_commit=on -c jit=off";
    this.#pool = new pg.Pool({ connectionString, options, ...timeouts, keepAlive: true, allowExitOnIdle: true });
    // A connection that breaks says so in an event too, which ends the process if nobody listens.
    this.#pool.on("connect", (client) => client.on("error", () => {})).on("error", () => {});
  }

  /** A connection, for the caller to release. `end`: when to give up, on the monotonic clock. */
  async connect(end: number, signal?: AbortSignal): Promise<pg.PoolClient> {
    const connecting = this.#pool.connect();
    return this.within(connecting, end, signal).catch((error: unknown) => {
      connecting.then((late) => late.release()).catch(() => {});
      throw explain(error, false);
    });
  }

  /** The rows of a statement, which a connection prepares once if it has a name. Where it writes, no answer means `unknown`. */
  async query<Row>(statement: pg.QueryConfig, { signal }: CallOptions = {}, writes = false): Promise<Row[]> {
    const end = this.clock.monotonic() + this.deadline;
    const client = await this.connect(end, signal);
    try {
      const { rows } = await this.within(client.query(statement), end, signal);
      client.release();
      return rows as Row[];
    } catch (error) {
      // A connection whose answer is still to come is of no use to anybody.
      client.release(!isRefusal(error));
      throw explain(error, writes);
    }
  }

  /** What `work` comes to, unless its time is up or `signal` fires before. */
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
    // The pool would forget those that wait for a connection.
    await Promise.allSettled(this.#underWay);
    await this.#pool.end();
  }
}

/** By SQLSTATE: the code, and whether the same may succeed later. The last: connections, races, room for more, a server that stops. */
const MEANINGS: readonly (readonly [RegExp, ChannelErrorCode, boolean])[] = [
  [/^(28|42501)/, "DENIED", false],
  [/^3D000/, "INVALID_CONFIG", false],
  [/^25006/, "READ_ONLY", true],
  [/^53100/, "FULL", false],
  [/^XX00[12]/, "CORRUPT", false],
  [/^(57014|55P03)/, "TIMEOUT", true],
  [/^(08|40|53|57)/, "UNAVAILABLE", true],
];

/** The server refused the statement and rolled it back. Anything graver ends the connection, and may come after the commit. */
function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === "ERROR";
}

/** What an error means for the caller. `sent`: a commit was on its way to the server. */
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
