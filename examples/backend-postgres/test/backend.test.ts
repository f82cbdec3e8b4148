import { type Backend, isChannelError, systemClock } from "@ojm/core/backend";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { backend } from "../src/index.js";
import { startPostgres, whyMissing } from "./server.js";

const missing = whyMissing();
if (missing !== undefined) it.skip(`the backend for PostgreSQL: ${missing}`, () => {});

describe.skipIf(missing !== undefined)("the backend for PostgreSQL", () => {
  let server: Awaited<ReturnType<typeof startPostgres>>;
  let sql: pg.Client;
  const url = (database: string) => `postgres://ojm@127.0.0.1:${server.port}/${database}`;
  beforeAll(async () => {
    server = await startPostgres();
    sql = new pg.Client(url("postgres"));
    await sql.connect();
  });
  afterAll(async () => {
    await sql?.end();
    await server?.stop();
  });

  async function open(): Promise<Backend> {
    const opened = await backend.open({ url: url("postgres") }, { clock: systemClock });
    onTestFinished(() => opened.close());
    return opened;
  }

  const put = (key: string, ttl?: number) => ({
    checks: [],
    writes: [{ key, value: "1", ...(ttl === undefined ? {} : { ttl }) }],
  });

  it("reports a gap to a watch that missed changes which are no longer stored, and then continues", async () => {
    const store = await open();
    const told: string[] = [];
    await store.watch(
      { from: "gap ", to: "gap!" },
      { change: ({ key }) => told.push(key), gap: () => told.push("gap"), fail: (error) => told.push(String(error)) },
    );
    await sql.query("update ojm.head set version = version + 9, forgotten = version + 9; notify ojm");
    await expect.poll(() => told).toEqual(["gap"]);
    // No commit happened for longer than changes are kept: the watch missed nothing.
    await store.commit(put('gap "k '));
    await expect.poll(() => told).toEqual(["gap", 'gap "k ']);
  });

  it("removes expired entries, and changes that no watch needs any more", async () => {
    const store = await open();
    await store.commit(put('swept "short ', 1));
    await store.commit(put('swept "long ', 3_600_000));
    await expect.poll(async () => (await store.read(['swept "short ']))[0]).toBe(undefined);
    await sql.query("update ojm.changes set version = 1 where version < (select version from ojm.head)");
    await store.commit(put('swept "now '));
    const entries = await sql.query(
      "select convert_from(key, 'UTF8') as key from ojm.entries where key like 'swept%'::bytea order by key",
    );
    expect(entries.rows.map(({ key }) => key)).toEqual(['swept "long ', 'swept "now ']);
    expect((await sql.query("select from ojm.changes")).rowCount).toBe(2);
  });

  it("opens on a new database from several programs at once", async () => {
    await sql.query("create database fresh");
    const args = { url: url("fresh") };
    const opened = await Promise.all(Array.from({ length: 8 }, () => backend.open(args, { clock: systemClock })));
    const versions = await Promise.all(opened.map((store) => store.commit(put('c "k '))));
    expect(versions.every(({ ok }) => ok)).toBe(true);
    await Promise.all(opened.map((store) => store.close()));
  });

  it.each([
    [{ url: "postgres://ojm@127.0.0.1:1/postgres" }, "UNAVAILABLE", /cannot be reached/],
    [{ ulr: "postgres://ojm@127.0.0.1/postgres" }, "INVALID_CONFIG", /Did you mean "url"/],
    [{ url: "mysql://127.0.0.1" }, "INVALID_CONFIG", /needs "url"/],
    [{ url: "postgres://127.0.0.1", deadline: 0 }, "INVALID_CONFIG", /"deadline"/],
  ])("says what is wrong with %j", async (args, code, message) => {
    const error = await backend.open(args, { clock: systemClock }).catch((reason: unknown) => reason);
    expect(isChannelError(error) && error.code).toBe(code);
    expect(String(error)).toMatch(message);
  });

  it("rejects with INVALID_CONFIG if the database does not exist", async () => {
    const opening = backend.open({ url: url("nowhere") }, { clock: systemClock });
    await expect(opening).rejects.toMatchObject({ code: "INVALID_CONFIG", retryable: false });
  });
});
