import { type Backend, type Clock, systemClock } from "@ojm/core/backend";
import { type PostgresOptions, type PostgresServer, postgresMissing, startPostgres } from "@ojm/testing/postgres";
import pg from "pg";
import { afterAll, beforeAll, it, onTestFinished } from "vitest";
import { backend } from "../index.js";

/** Why the tests of a file are skipped, `undefined` if they run. Reports it as a skipped test. */
export function missing(): string | undefined {
  const why = postgresMissing();
  if (why !== undefined) it.skip(`PostgreSQL: ${why}`, () => {});
  return why;
}

/** The server of a file of tests, once they run. */
export function serverOf(options?: PostgresOptions): () => PostgresServer {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    server = await startPostgres(options);
  });
  afterAll(async () => {
    await server?.stop();
  });
  return () => {
    if (server === undefined) throw new Error("the server has not started");
    return server;
  };
}

/** Opens a store, which is closed after the test unless the test has closed it. */
export async function open(args: Readonly<Record<string, unknown>>, clock: Clock = systemClock): Promise<Backend> {
  const opened = await backend.open(args, { clock });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= opened.close();
    return closing;
  };
  onTestFinished(close);
  return { ...opened, close };
}

/**
 * Resolves once commits wait for a synchronous replica that is away. The server takes over that setting some
 * time after it was reloaded, and later than it shows it.
 */
export async function untilCommitsWait({ sql }: PostgresServer, client: pg.ClientBase): Promise<void> {
  for (let isWaiting = false; !isWaiting; ) {
    let isOver = false;
    const commit = client.query("create table probe (); drop table probe").finally(() => {
      isOver = true;
    });
    while (!isOver && !isWaiting) {
      const ended = await sql("select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'");
      isWaiting = ended.length > 0;
    }
    await commit;
  }
}

/** A connection of its own, which is closed after the test. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on("error", () => {}); // a test may end it
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}
