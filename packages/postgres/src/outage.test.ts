import { openJobManager } from "@ojm/core";
import { type Clock, systemClock } from "@ojm/core/backend";
import pg from "pg";
import { describe, expect, it, type MockInstance, onTestFinished, vi } from "vitest";
import { connect, missing, open, serverOf, untilCommitsWait } from "./testing/stores.js";

const KEY = 'c "k ';
const put = (value: string) => ({ checks: [], writes: [{ key: KEY, value }] });

describe.skipIf(missing() !== undefined)("while a PostgreSQL server that was open is away", () => {
  const server = serverOf();

  /** A pool, and the calls that ask it for a connection. */
  function spiedPool(url: string = server().url): { readonly pool: pg.Pool; readonly attempts: MockInstance } {
    const pool = new pg.Pool({ connectionString: url, max: 5 });
    pool.on("error", () => {}); // the server ends its connections
    onTestFinished(() => pool.end());
    return { pool, attempts: vi.spyOn(pool, "connect") };
  }

  /** Resolves once connections were requested this many more times: some of that by calls that try again. */
  async function triedAgain(attempts: MockInstance, times: number): Promise<void> {
    const before = attempts.mock.calls.length;
    await expect.poll(() => attempts.mock.calls.length, { interval: 5 }).toBeGreaterThan(before + times);
  }

  /** Does something while the server is down. */
  async function whileAway(work: () => Promise<unknown>): Promise<void> {
    let done: Promise<unknown> = Promise.resolve();
    await server().restart(async () => {
      done = work();
      await done.catch(() => {}); // thrown below: the server must return for the next test
    });
    await done;
  }

  it("calls wait for it within their deadline", async () => {
    const { pool, attempts } = spiedPool();
    const store = await open({ pool, schema: "waiting" });
    await store.commit(put("1"));
    let calls: Promise<unknown[]> | undefined;
    await whileAway(async () => {
      calls = Promise.all([store.read([KEY]), store.commit(put("2"))]);
      calls.catch(() => {}); // awaited below
      await triedAgain(attempts, 4);
    });
    expect(await calls).toMatchObject([[{ key: KEY }], { ok: true }]);
    expect(await store.read([KEY])).toMatchObject([{ value: "2" }]);
  });

  it("a waiter keeps waiting, and gets its lock afterwards", async () => {
    const { pool, attempts } = spiedPool();
    const own = { type: "postgres", args: { url: server().url, schema: "waiter" } };
    const spied = { type: "postgres", args: { pool, schema: "waiter" } };
    await using holder = await openJobManager({ chJobs: own, chLocks: own });
    await using waiter = await openJobManager({ chJobs: spied, chLocks: spied });
    let end = (): void => {};
    const running = holder.run(
      "job",
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    await expect.poll(async () => (await holder.heldLocks()).length).toBe(1);
    const waiting = waiter.run("job", () => "mine", { wait: "1m" });
    await expect.poll(async () => (await holder.heldLocks())[0]?.waiting).toBe(1);
    await whileAway(() => triedAgain(attempts, 4));
    end();
    await running;
    expect((await waiting).result).toBe("mine");
  });

  it("calls reject within their deadline if it stays away", async () => {
    const { pool, attempts } = spiedPool();
    const store = await open({ pool, schema: "absent", deadline: "2s" });
    await whileAway(async () => {
      const before = attempts.mock.calls.length;
      const unavailable = { code: "UNAVAILABLE", message: expect.stringMatching(/not reachable \(ECONNREFUSED/) };
      await expect(store.read([KEY])).rejects.toMatchObject({ ...unavailable, retryable: true });
      await expect(store.commit(put("1"))).rejects.toMatchObject({ ...unavailable, outcome: "not-applied" });
      expect(attempts.mock.calls.length).toBeGreaterThan(before + 2);
    });
  });

  it("a signal and the end of the store end the wait", async () => {
    const { pool, attempts } = spiedPool();
    const store = await open({ pool, schema: "aborted", deadline: "10m" });
    await whileAway(async () => {
      const abort = new AbortController();
      const aborted = { code: "ABORTED" };
      const calls = Promise.all([
        expect(store.read([KEY], { signal: abort.signal })).rejects.toMatchObject(aborted),
        expect(store.commit(put("1"), { signal: abort.signal })).rejects.toMatchObject(aborted),
      ]);
      await triedAgain(attempts, 4);
      abort.abort();
      await calls;
      const closed = expect(store.read([KEY])).rejects.toMatchObject({ code: "CLOSED" });
      await triedAgain(attempts, 2);
      await store.close();
      await closed;
    });
  });

  it("watches that begin meanwhile reject within their deadline, however many", async () => {
    const store = await open({ url: server().url, schema: "watching", deadline: "2s" });
    const sink = { change: () => {}, gap: () => {}, fail: () => {} };
    await whileAway(async () => {
      const began = performance.now();
      const times: number[] = [];
      const watches = Array.from({ length: 20 }, () =>
        store.watch({ from: "c ", to: "c!" }, sink).catch(() => times.push(performance.now() - began)),
      );
      await Promise.all(watches);
      expect(times).toHaveLength(20);
      // If each had a deadline from its turn on, the last one would take twenty of them.
      expect(Math.max(...times) / 2_000).toBeLessThan(10);
    });
  });

  it("a read that was under way is repeated, and a commit is not", async () => {
    const store = await open({ url: server().url, schema: "broken" });
    await store.commit(put("1"));
    const other = await connect(server().url);
    await other.query("begin; lock table broken.entries");
    const read = store.read([KEY]);
    const commit = store.commit(put("2")).catch((error: unknown) => error);
    const waiting = async (): Promise<number> => (await server().sql("select from pg_locks where not granted")).length;
    await expect.poll(waiting).toBe(2);
    await server().restart();
    expect(await read).toMatchObject([{ key: KEY, value: "1" }]);
    expect(await commit).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown" });
  });

  it("calls wait for a connection if the server has none left", async () => {
    await server().sql("create role few login superuser; create schema authorization few");
    const url = server().url.replace("ojm@", "few@");
    const store = await open({ url, schema: "few" });
    await store.commit(put("1"));
    // It does not apply to a superuser.
    await server().sql("alter role few nosuperuser connection limit 1");
    const reads = Array.from({ length: 5 }, () => store.read([KEY]));
    expect(await Promise.all(reads)).toHaveLength(5);
  });
});

describe.skipIf(missing() !== undefined)("a call to PostgreSQL that was given up", () => {
  const server = serverOf();

  it.each([
    ["a synchronous replica", "SyncRep"],
    ["a table that is locked", "Lock"],
  ])("leaves no connection of the server that waits for %s", async (_what, state) => {
    const { sql, url } = server();
    // The deadline passes when the test says so: a busy machine may take seconds for a connection.
    const timers: (() => void)[] = [];
    const after: Clock["after"] = (ms, callback, keepAlive) => {
      timers.push(callback);
      return systemClock.after(ms, callback, keepAlive);
    };
    const store = await open({ url, schema: state, deadline: "10m" }, { ...systemClock, after });
    await store.commit(put("1"));
    const other = await connect(url);
    const isReplica = state === "SyncRep";
    const waitFor = async (replica: string): Promise<void> => {
      await sql(`alter system set synchronous_standby_names = '${replica}'`);
      await sql("select pg_reload_conf()");
    };
    if (isReplica) {
      await waitFor("absent");
      await untilCommitsWait(server(), other);
    } else await other.query(`begin; lock table "${state}".entries`);
    const waiting = (): Promise<unknown[]> =>
      sql("select from pg_stat_activity where application_name = 'ojm' and state = 'active'");
    const calls = Promise.allSettled([store.read([KEY]), store.read([KEY]), store.commit(put("2"))]);
    await expect.poll(waiting, { interval: 5 }).toHaveLength(3);
    for (const late of timers) late();
    for (const end of await calls) expect(end).toMatchObject({ status: "rejected", reason: { code: "TIMEOUT" } });
    // What they wait for is still away.
    await expect.poll(waiting).toEqual([]);
    if (isReplica) await waitFor("");
    await other.query("rollback");
  });
});
