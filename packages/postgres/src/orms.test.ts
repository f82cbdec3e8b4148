import { openJobManager } from "@ojm/core";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { CompiledQuery, Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { assertFence, backend, type QueryClient } from "./index.js";
import { missing, serverOf } from "./testing/stores.js";

/** Calls `body` in a transaction of a library, with a function that runs a statement in it. */
type Library = (pool: pg.Pool, body: (client: QueryClient) => Promise<void>) => Promise<void>;

const LIBRARIES: Readonly<Record<string, Library>> = {
  Kysely: (pool, body) =>
    new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
      .transaction()
      .execute((trx) => body((text, values) => trx.executeQuery(CompiledQuery.raw(text, values)))),
  Drizzle: (pool, body) =>
    drizzle(pool).transaction((tx) =>
      body((text, values) =>
        tx.execute(
          sql.join(
            text
              .split(/\$\d/)
              .flatMap((part, i) => (i === 0 ? [sql.raw(part)] : [sql.param(values[i - 1]), sql.raw(part)])),
          ),
        ),
      ),
    ),
};

describe.skipIf(missing() !== undefined)("transactions of other libraries", () => {
  const server = serverOf();

  it.each(Object.entries(LIBRARIES))("%s: assertFence and run.end join its transaction", async (name, library) => {
    const { url } = server();
    await server().sql("create table if not exists effects (by text)");
    const pool = new pg.Pool({ connectionString: url });
    onTestFinished(() => pool.end());
    const store = { backend, args: { url } };
    const jobs = await openJobManager({ chJobs: store, chLocks: store });
    onTestFinished(() => jobs.close());
    const entries = await jobs.channel(name);
    const { record } = await jobs.run(name, (run) =>
      library(pool, async (client) => {
        await assertFence(client, run);
        await (client as (text: string, values: unknown[]) => Promise<unknown>)("insert into effects values ($1)", [
          name,
        ]);
        await run.fenced(entries, [{ put: "k", value: { "quoted'": 1 } }], { transaction: client });
        await run.end("together", { transaction: client });
      }),
    );
    expect(record).toMatchObject({ status: "completed", result: "together" });
    expect(await entries.get("k")).toEqual({ "quoted'": 1 });
    expect(await server().sql("select by from effects where by = $1", [name])).toEqual([{ by: name }]);
  });

  it.each(Object.entries(LIBRARIES))(
    "%s: a run without its lock gets LOST, and commits nothing",
    async (name, library) => {
      const { url } = server();
      const pool = new pg.Pool({ connectionString: url });
      onTestFinished(() => pool.end());
      const store = { backend, args: { url } };
      const jobs = await openJobManager({ chJobs: store, chLocks: store });
      onTestFinished(() => jobs.close());
      const entries = await jobs.channel(name);
      await jobs
        .run(`${name} late`, async (run) => {
          await jobs.unlock(run.name, { reason: "a test" });
          const late = { code: "LOST", job: run.name };
          await expect(library(pool, (client) => assertFence(client, run))).rejects.toMatchObject(late);
        })
        .catch(() => {}); // it was unlocked
      const version = await entries.set("checked", 1);
      const failing = library(pool, async (client) => {
        await entries.commitIn(client, [
          { check: "checked", version },
          { put: "late", value: 1 },
        ]);
        await entries.set("checked", 2);
      });
      await expect(failing).rejects.toThrow();
      expect(await entries.get("late")).toBeUndefined();
    },
  );
});
