import { RunError } from "@ojm/core";
import { ChannelError, type Commit } from "@ojm/core/backend";
import { storedLockKey } from "@ojm/core/internal";
import { storedTtl, storedVersion } from "./commits.js";
import { codeOf, explain, LATE } from "./errors.js";
import { LAYOUT, Names } from "./sql.js";

/**
 * A connection that is inside a transaction: that of `pg`, anything else with its `query`, or a function that
 * does the same. The statements have the parameters `$1`, `$2` …, in this order and each once, all of them
 * texts.
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
 * @throws ChannelError `INVALID_ARGUMENT` outside a transaction
 */
export async function assertFence(
  client: QueryClient,
  run: FencedRun,
  options: { readonly schema?: string } = {},
): Promise<void> {
  const names = new Names(options.schema ?? "ojm");
  const query = queryOf(client, "client");
  // A driver may send a text as such, and fail to read a column of type void.
  const text = `select ${names.schema}.assert_fence($1::text, $2::text::bigint)::text`;
  try {
    // Fails outside a transaction, where the fence would protect nothing. Every role may lock this table so,
    // and only a statement that rewrites it would have to wait.
    await query("lock table pg_catalog.pg_language in access share mode", []);
    await query(text, [storedLockKey(run.lock ?? run.name), run.fence]);
  } catch (error) {
    const cause = serverError(error);
    if (codeOf(cause) === NO_TRANSACTION) throw invalid("client", OUTSIDE);
    if (codeOf(cause) !== LATE && codeOf(cause) !== "40001") throw explain(cause, "PostgreSQL", false);
    const message = `the run of "${run.name}" no longer holds its lock (fence ${run.fence}): roll back`;
    throw new RunError("LOST", run.name, message, { cause: error });
  }
}

/** Joins a commit to a transaction: see `Backend.commitIn`. `patience`: the wait for each lock, in ms. */
export async function joinTransaction(
  transaction: unknown,
  { checks, writes }: Commit,
  { where, names: { schema }, patience }: { readonly where: string; readonly names: Names; readonly patience: number },
): Promise<void> {
  const query = queryOf(transaction, "transaction");
  const ops = [
    ...checks.map(({ key, version }) => ({ key, kind: 1, version: storedVersion(version) })),
    ...writes.map(({ key, value, ttl }) => ({ key, kind: 2, value, ttl: storedTtl(ttl) })),
  ];
  try {
    // Fails outside a transaction, where the ops would be applied at once and without the caller's effects.
    await query(`lock table ${schema}.joined in row exclusive mode`, []);
    const text = `select ${schema}.join_commit($1::text::int, $2::text::int, $3::text::json)::text`;
    await query(text, [String(LAYOUT), String(patience), JSON.stringify(ops)]);
  } catch (error) {
    const cause = serverError(error);
    if (codeOf(cause) === NO_TRANSACTION) throw invalid("transaction", OUTSIDE);
    throw explain(cause, where, false);
  }
}

/** A statement that is for a transaction only was outside one. */
const NO_TRANSACTION = "25P01";
const OUTSIDE = "is not inside a transaction: begin one on this connection";

/** `name`: the parameter, for messages. */
function queryOf(client: unknown, name: string): Query {
  if (typeof client === "function") return client as Query;
  if (typeof (client as { query?: unknown } | undefined)?.query !== "function")
    throw invalid(name, "is a connection with the query(text, values) of pg, or a function like it");
  return (text, values) => (client as { query: Query }).query(text, values);
}

function invalid(name: string, what: string): ChannelError {
  return new ChannelError("INVALID_ARGUMENT", `PostgreSQL: "${name}" ${what}`);
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
