import type { Commit, StoredChange } from "@ojm/core/backend";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { connect, missing, open, serverOf, untilCommitsWait } from "./testing/stores.js";

const A = 'c "a ';
const B = 'c "b ';
const writes = (key: string) => [{ key, value: "1" }];

describe.skipIf(missing() !== undefined)("two commits to PostgreSQL at once", () => {
  const server = serverOf();

  /**
   * Makes two commits, each by a process of its own. The first one, which writes `A`, is held up after its
   * check, until the second one has ended or waits too. Resolves to whether they were applied.
   */
  async function race(schema: string, first: Commit, second: Commit): Promise<boolean[]> {
    const args = { url: server().url, schema };
    const [one, two] = [await open(args), await open(args)];
    // The first commit after a start of the server holds up all others until it ends.
    await one.commit({ checks: [], writes: writes('d "first ') });
    const other = await connect(server().url);
    await other.query("begin");
    await other.query(`insert into ${schema}.entries (key, version, value) values ($1, 1, '')`, [A]);
    const waiting = async (): Promise<number> => (await server().sql("select from pg_locks where not granted")).length;
    const held = one.commit(first);
    await expect.poll(waiting).toBe(1);
    let isOver = false;
    const next = two.commit(second).finally(() => {
      isOver = true;
    });
    await expect.poll(async () => isOver || (await waiting()) === 2).toBe(true);
    await other.query("rollback");
    return (await Promise.all([held, next])).map(({ ok }) => ok);
  }

  it("do not both pass a check of what the other one writes", async () => {
    const first = { checks: [{ key: B, version: null }], writes: writes(A) };
    const second = { checks: [{ key: A, version: null }], writes: writes(B) };
    expect(await race("skew", first, second)).toEqual([true, false]);
  });

  it("are both reported, in the order of their versions", async () => {
    const store = await open({ url: server().url, schema: "overtaken" });
    const log: string[] = [];
    const range = { from: "c ", to: "c!" };
    await store.watch(range, {
      change: ({ key }: StoredChange) => log.push(key),
      gap: () => log.push("gap"),
      fail: (error) => log.push(String(error)),
    });
    await race("overtaken", { checks: [], writes: writes(A) }, { checks: [], writes: writes(B) });
    await expect.poll(() => log).toEqual([A, B]);
  });
});

describe.skipIf(missing() !== undefined)("a commit to PostgreSQL that waits for a synchronous replica", () => {
  const server = serverOf();

  it("has an unknown outcome if an operator cancels the wait", async () => {
    const { sql, url } = server();
    const pool = new pg.Pool({ connectionString: url, max: 3 });
    onTestFinished(() => pool.end());
    const store = await open({ pool });
    await sql("alter system set synchronous_standby_names = 'absent'");
    await sql("select pg_reload_conf()");
    // Each process of the server reads the file when it comes to it.
    const clients = await Promise.all([1, 2, 3].map(() => pool.connect()));
    for (const client of clients) {
      const setting = async (): Promise<unknown> => (await client.query("show synchronous_standby_names")).rows[0];
      await expect.poll(setting).toEqual({ synchronous_standby_names: "absent" });
      await untilCommitsWait(server(), client);
      client.release();
    }
    const ends = Promise.allSettled([store.commit({ checks: [], writes: writes(A) }), store.read([A])]);
    const cancel = "select pid, pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";
    // A process that was cancelled may still be seen to wait.
    const cancelled = new Set<unknown>();
    await expect
      .poll(async () => {
        for (const { pid } of await sql(cancel)) cancelled.add(pid);
        return cancelled.size;
      })
      .toBe(2);
    const unavailable = { code: "UNAVAILABLE", retryable: true };
    expect(await ends).toMatchObject([{ reason: { ...unavailable, outcome: "unknown" } }, { reason: unavailable }]);
    await sql("alter system reset synchronous_standby_names");
    await sql("select pg_reload_conf()");
    const again = (): Promise<boolean> =>
      store.commit({ checks: [], writes: writes(A) }).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(again).toBe(true);
  });
});
