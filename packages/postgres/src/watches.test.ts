import type { Backend, StoredChange } from "@ojm/core/backend";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { connect, missing, open, serverOf } from "./testing/stores.js";

const put = (value: string | null, key = 'c "k ', ttl?: number) => ({
  checks: [],
  writes: [{ key, value, ...(ttl === undefined ? {} : { ttl }) }],
});

/** Watches the channel `c`, or a range of it. */
async function watched(store: Backend, range = { from: "c ", to: "c!" }): Promise<string[]> {
  const log: string[] = [];
  await store.watch(range, {
    change: ({ value }: StoredChange) => log.push(String(value)),
    gap: () => log.push("gap"),
    fail: (error) => log.push(String(error)),
  });
  return log;
}

describe.skipIf(missing() !== undefined)("a watch of PostgreSQL", () => {
  const server = serverOf();

  it("is not delayed by a long transaction of another program", async () => {
    const args = { url: server().url, schema: "long" };
    const [store, writer] = [await open(args), await open(args)];
    const other = await connect(server().url);
    await other.query("begin; create table of_another_program (); select txid_current()");
    const log = await watched(store);
    await writer.commit(put("1"));
    await writer.commit(put(null));
    await expect.poll(() => log).toEqual(["1", "null"]);
    await other.query("rollback");
  });

  it("reports changes without notifications, as behind a pooler", async () => {
    const args = { url: server().url, schema: "deaf" };
    const pool = new pg.Pool({ connectionString: args.url });
    onTestFinished(() => pool.end());
    pool.on("connect", (client) => {
      const query = client.query.bind(client) as (...given: unknown[]) => unknown;
      const deaf = (...given: unknown[]): unknown =>
        query(...(typeof given[0] === "string" && given[0].startsWith("listen") ? ["select 1"] : given));
      Object.assign(client, { query: deaf });
    });
    const store = await open({ pool, schema: "deaf" });
    const log = await watched(store);
    await (await open(args)).commit(put("1"));
    await expect.poll(() => log).toEqual(["1"]);
    await store.close();
    // The pool of the caller stays open.
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  it("loses nothing when its connections are ended", async () => {
    const args = { url: server().url, schema: "cut" };
    const [store, writer] = [await open(args), await open(args)];
    const log = await watched(store);
    const expected: string[] = [];
    for (let i = 0; i < 20; i++) {
      if (i % 5 === 0)
        await server().sql(
          "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen ojm%' or query like '%cut.changes%' and pid <> pg_backend_pid()",
        );
      await writer.commit(put(String(i)));
      expected.push(String(i));
    }
    await expect.poll(() => log).toEqual(expected);
  });

  it("reports a gap after it was taken for dead, and continues", async () => {
    const args = { url: server().url, schema: "dead" };
    const store = await open(args);
    const [log, one] = [await watched(store), await watched(store, { from: 'c "k ', to: 'c "k \x01' })];
    await server().sql("update dead.watchers set expires = now(); select dead.sweep()");
    await expect.poll(() => log).toEqual(["gap"]);
    await store.commit(put("1"));
    await expect
      .poll(() => [log, one])
      .toEqual([
        ["gap", "1"],
        ["gap", "1"],
      ]);
  });

  it("has no gap if the process did not watch for long before", async () => {
    const args = { url: server().url, schema: "quiet" };
    const store = await open(args);
    const stop = await store.watch({ from: "c ", to: "c!" }, { change: () => {}, gap: () => {}, fail: () => {} });
    stop();
    await server().sql("update quiet.watchers set expires = now(); select quiet.sweep()");
    const log = await watched(store);
    await store.commit(put("1"));
    await expect.poll(() => log).toEqual(["1"]);
  });

  it("costs commits nothing once it has ended", async () => {
    const args = { url: server().url, schema: "ended" };
    const [store, writer] = [await open(args), await open(args)];
    const log: string[] = [];
    const sink = { change: () => log.push("change"), gap: () => {}, fail: () => {} };
    const stop = await store.watch({ from: "c ", to: "c!" }, sink);
    const again = await store.watch({ from: "c ", to: "c!" }, sink);
    stop();
    await writer.commit(put("1"));
    await expect.poll(() => log).toEqual(["change"]);
    again();
    await expect.poll(() => server().sql("select from ended.watched")).toHaveLength(0);
    await store.close();
    expect(await server().sql("select from ended.watchers")).toHaveLength(0);
  });

  it("leaves no expired entry and no change that was read", async () => {
    const args = { url: server().url, schema: "swept" };
    const store = await open(args);
    const log = await watched(store);
    await store.commit(put("short", 'c "short ', 1));
    await store.commit(put("long", 'c "long ', 3_600_000));
    await expect.poll(() => log).toEqual(["short", "long"]);
    const [{ id }] = (await server().sql("select id from swept.watchers")) as [{ id: string }];
    const [{ version }] = (await server().sql("select max(version) as version from swept.changes")) as [
      { version: string },
    ];
    await server().sql("select swept.renew($1, $2)", [id, version]);
    expect(await server().sql("select from swept.changes")).toHaveLength(0);
    await expect.poll(() => store.read(['c "short '])).toEqual([undefined]);
    await server().sql("select swept.sweep()");
    expect(await server().sql("select key from swept.entries")).toEqual([{ key: 'c "long ' }]);
  });
});
