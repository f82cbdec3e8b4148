import { RunError } from "@ojm/core";
import { storedLockKey } from "@ojm/core/internal";
import { codeOf, explain, LATE } from "./errors.js";
import { Names } from "./sql.js";

/** A connection of `pg`, or anything else with its `query`, that is inside a transaction. */
export interface QueryClient {
  query(text: string, values: unknown[]): Promise<unknown>;
}

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
 */
export async function assertFence(
  client: QueryClient,
  run: FencedRun,
  options: { readonly schema?: string } = {},
): Promise<void> {
  const names = new Names(options.schema ?? "ojm");
  try {
    await client.query(`select ${names.schema}.assert_fence($1, $2)`, [storedLockKey(run.lock ?? run.name), run.fence]);
  } catch (error) {
    if (codeOf(error) !== LATE && codeOf(error) !== "40001") throw explain(error, "PostgreSQL", false);
    const message = `the run of "${run.name}" no longer holds its lock (fence ${run.fence}): roll back`;
    throw new RunError("LOST", run.name, message, { cause: error });
  }
}
