import { RunError } from "@ojm/core";
import { ChannelError, type Commit } from "@ojm/core/backend";
import { storedLockKey } from "@ojm/core/internal";
import { opsOf } from "./commits.js";
import { codeOf, explain, LATE } from "./errors.js";
import { LAYOUT, Names } from "./sql.js";

/**
 * A connection that is inside a transaction: that of `pg` (not a `Pool`), anything else with its `query`, or
 * a function that does the same. The statements have the parameters `$1`, `$2` …, in this order and each
 * once, all of them texts.
 *
 * @example
 * const kysely: QueryClient = (text, values) => trx.executeQuery(CompiledQuery.raw(text, values));
 * const prisma: QueryClient = (text, values) => tx.$queryRawUnsafe(text, ...values);
 */
export type QueryClient =
  | { query(text: string, values: unknown[]): Promise<unknown> }
  | ((text: string, values: unknown[]) => Promise<unknown>);
type Query = Extract<QueryClient, (...args: never[]) => unknown>;

/** A run that holds its lock: the `run` of a job function. */
export interface FencedRun {
  readonly name: string;
  /** The name of its lock. Default: that of the run. */
  readonly lock?: string;
  readonly fence: string;
}

/**
 * Fails unless the run still holds its lock, and keeps the lock from being taken or released until the
 * transaction of `client` ends. So the database itself rejects what a suspended process writes late.
 *
 * Call it inside the transaction, before the writes or after them. Until the transaction ends, no other
 * process can take over the lock: keep it short. It works at every isolation level. The locks must be in a
 * schema of the same database.
 *
 * @example
 * await jobs.run("daily-report", async (run) => {
 *   await client.query("begin");
 *   await assertFence(client, run);
 *   await client.query("update report set total = $1", [total]);
 *   await client.query("commit");
 * });
 *
 * @throws RunError `LOST` if another process has taken over the lock, or it was released
 * @throws ChannelError `INVALID_ARGUMENT` outside a transaction, or for a `Pool`
 */
export async function assertFence(
  client: QueryClient,
  run: FencedRun,
  options: { readonly schema?: string } = {},
): Promise<void> {
  const { schema } = new Names(options.schema ?? "ojm");
  const query = queryOf(client, "client");
  // A driver may send a text as such, and fail to read a column of type void.
  const text = `select ${schema}.assert_fence($1::text, $2::text::bigint)::text`;
  try {
    // Fails outside a transaction, where the fence would protect nothing. Every role may lock this table so,
    // and only a statement that rewrites it would have to wait.
    await query("lock table pg_catalog.pg_language in access share mode", []);
    await query(text, [storedLockKey(run.lock ?? run.name), run.fence]);
  } catch (error) {
    if (codeOf(error) !== LATE && codeOf(error) !== "40001") throw explain(error, "PostgreSQL", false);
    const message = `the run of "${run.name}" no longer holds its lock (fence ${run.fence}): roll back`;
    throw new RunError("LOST", run.name, message, { cause: error });
  }
}

/** Joins a commit to a transaction: see `Backend.commitIn`. `patience`: the wait for each lock, in ms. */
export async function joinTransaction(
  transaction: unknown,
  commit: Commit,
  { where, names: { schema }, patience }: { readonly where: string; readonly names: Names; readonly patience: number },
): Promise<void> {
  const query = queryOf(transaction, "transaction");
  const text = `select ${schema}.join_commit($1::text::int, $2::text::int, $3::text::json)::text`;
  try {
    // Fails outside a transaction, where the ops would be applied at once and without the caller's effects.
    await query(`lock table ${schema}.joined in row exclusive mode`, []);
    await query(text, [String(LAYOUT), String(patience), JSON.stringify(opsOf(commit))]);
  } catch (error) {
    throw explain(error, where, false);
  }
}

/** Runs a statement of `client`. Rejects with the server's error. `name`: the parameter, for messages. */
function queryOf(client: unknown, name: string): Query {
  const invalid = (what: string): ChannelError => new ChannelError("INVALID_ARGUMENT", `PostgreSQL: "${name}" ${what}`);
  const given = client as QueryClient | undefined;
  const call: Query | undefined = typeof given === "function" ? given : given?.query?.bind?.(given);
  if (call === undefined) throw invalid("is a connection with the query(text, values) of pg, or a function like it");
  // Within one turn a Pool often uses the same connection again, so the fault would show only under load.
  if (typeof given === "object" && "totalCount" in given && "idleCount" in given)
    throw invalid(
      "is a Pool, whose statements may run on different connections: take one by connect(), begin the transaction " +
        "on it, and pass it",
    );
  return async (text, values) => {
    try {
      return await call(text, values);
    } catch (error) {
      const cause = serverError(error);
      // The code for a statement outside a transaction that is possible only inside one.
      if (codeOf(cause) === "25P01") throw invalid("is not inside a transaction: begin one on this connection");
      throw cause;
    }
  };
}

/** What the errors of ORMs have. */
interface Wrapped {
  readonly cause?: Wrapped;
  readonly meta?: { readonly driverAdapterError?: Wrapped };
  readonly severity?: string;
  readonly originalCode?: string;
  readonly originalMessage?: string;
}

/** The error of the server, which that of an ORM has as its cause, or, of Prisma, in its meta data. */
function serverError(error: unknown): unknown {
  for (let at = error as Wrapped | undefined; at; at = at.meta?.driverAdapterError ?? at.cause) {
    if (at.severity !== undefined) return at;
    if (at.originalCode !== undefined)
      return Object.assign(new Error(at.originalMessage), { code: at.originalCode, severity: "ERROR" });
  }
  return error;
}
