import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openJobManager } from "@ojm/core";
import { storedLockKey } from "@ojm/core/internal";
import { programArgs } from "@ojm/testing/programs";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { assertFence } from "./fence.js";
import { backend } from "./index.js";
import { connect, missing, open, serverOf } from "./testing/stores.js";

const TTL = "2s";

function startLate(url: string): ChildProcess {
  const program = programArgs(new URL("testing/programs/late.child.ts", import.meta.url));
  const child = spawn(process.execPath, [...program, url, TTL], { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

describe.skipIf(missing() !== undefined)("assertFence", () => {
  const server = serverOf();

  it("makes the database reject what a suspended process writes after another one took over", async () => {
    const { url } = server();
    await server().sql("create table effects (by text)");
    const late = startLate(url);
    const next = async (): Promise<unknown> => (await once(late, "message"))[0];
    expect(await next()).toBe("holding");
    late.kill("SIGSTOP");
    const store = { backend, args: { url } };
    const jobs = await openJobManager({ chJobs: store, chLocks: store, ttl: TTL });
    onTestFinished(() => jobs.close());
    const client = await connect(url);
    await jobs.run(
      "report",
      async (run) => {
        await client.query("begin");
        await assertFence(client, run);
        await client.query("insert into effects values ('second')");
        await client.query("commit");
      },
      { wait: "60s" },
    );
    late.kill("SIGCONT");
    const answer = next();
    late.send("go");
    expect(await answer).toBe("LOST");
    expect(await server().sql("select by from effects")).toEqual([{ by: "second" }]);
  });

  it("keeps the lock until the transaction ends, and holds up no other commit", async () => {
    const store = await open({ url: server().url });
    const key = storedLockKey("held");
    const taken = await store.commit({ checks: [], writes: [{ key, value: "1" }] });
    const client = await connect(server().url);
    await client.query("begin");
    const fence = taken.ok ? taken.version : "";
    await assertFence(client, { name: "held", fence });
    // In one turn of the event loop, so both begin in one call.
    const release = store.commit({ checks: [{ key, version: fence }], writes: [{ key, value: null }] });
    const other = store.commit({ checks: [], writes: [{ key: 'c "other ', value: "1" }] });
    expect(await Promise.race([release.then(() => "released"), other.then(() => "other")])).toBe("other");
    await expect.poll(() => server().sql("select 1 from pg_locks where not granted")).toHaveLength(1);
    await client.query("commit");
    expect(await release).toMatchObject({ ok: true });
    await client.query("begin");
    await expect(assertFence(client, { name: "held", fence })).rejects.toMatchObject({ code: "LOST", job: "held" });
    await client.query("rollback");
  });

  it("lets other runs of its name wait or be rejected, as without a fence", async () => {
    const store = { backend, args: { url: server().url } };
    const stores = { chJobs: store, chLocks: store };
    const [jobs, others] = [await openJobManager(stores), await openJobManager(stores)];
    onTestFinished(() => Promise.all([jobs.close(), others.close()]).then(() => {}));
    const client = await connect(server().url);
    const order: string[] = [];
    let next: Promise<unknown> = Promise.resolve();
    await jobs.run("long", async (run) => {
      await client.query("begin");
      await assertFence(client, run);
      try {
        await expect(others.run("long", async () => {})).rejects.toMatchObject({ code: "LOCKED" });
        next = others.run("long", async () => void order.push("second"), { wait: "60s" });
        await expect.poll(() => jobs.channels.locks.getKeys({ prefix: ["lock", "long"] })).toHaveLength(2);
        order.push("first");
      } finally {
        await client.query("commit");
      }
    });
    await next;
    expect(order).toEqual(["first", "second"]);
  });

  it("refuses a commit whose checks do not hold at once, and makes one wait whose checks do", async () => {
    const args = { url: server().url, deadline: 3_000 };
    const store = await open(args);
    const key = storedLockKey("refused");
    const taken = await store.commit({ checks: [], writes: [{ key, value: "1" }] });
    const fence = taken.ok ? taken.version : "";
    const client = await connect(args.url);
    await client.query("begin");
    await assertFence(client, { name: "refused", fence });
    const [{ pid }] = (await client.query("select pg_backend_pid() as pid")).rows;
    const other = { checks: [{ key, version: null }], writes: [{ key, value: "2" }] };
    expect(await store.commit(other)).toMatchObject({ ok: false, current: [{ key, value: "1", version: fence }] });
    await expect(
      store.commit({ checks: [{ key, version: fence }], writes: [{ key, value: null }] }),
    ).rejects.toMatchObject({
      code: "TIMEOUT",
      retryable: true,
      outcome: "not-applied",
      message: expect.stringMatching(new RegExp(`keys or tables.*idle_in_transaction_session_timeout.*${pid}$`)),
    });
    await client.query("rollback");
  });

  it("delays no other job if its process hangs in the transaction after its lock has expired", async () => {
    const store = { backend, args: { url: server().url, deadline: 500 } };
    const stores = { chJobs: store, chLocks: store };
    const before = await openJobManager(stores);
    onTestFinished(() => before.close());
    const name = "hung";
    const holder = { host: "elsewhere", pid: 1, instance: "gone" };
    const { locks } = before.channels;
    const fence = await locks.set(["lock", name], { name, holder, token: "t", since: 0, timeout: 1, until: 1 });
    const client = await connect(server().url);
    await client.query("begin");
    await assertFence(client, { name, fence });
    const jobs = await openJobManager(stores);
    onTestFinished(() => jobs.close());
    expect(await jobs.run("unrelated", async () => "done")).toMatchObject({ result: "done" });
    expect((await locks.entry(["lock", name]))?.version).toBe(fence);
    await client.query("commit");
    await jobs.sweep();
    expect(await locks.get(["lock", name])).toBeUndefined();
  });

  it("rejects a connection that is not inside a transaction, where it would protect nothing", async () => {
    const store = await open({ url: server().url });
    const taken = await store.commit({ checks: [], writes: [{ key: storedLockKey("bare"), value: "1" }] });
    const run = { name: "bare", fence: taken.ok ? taken.version : "" };
    await expect(assertFence(await connect(server().url), run)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("not inside a transaction"),
    });
  });

  it("rejects a Pool, whose next statement may go to a connection outside the transaction", async () => {
    const store = { backend, args: { url: server().url } };
    const jobs = await openJobManager({ chJobs: store, chLocks: store });
    const pool = new pg.Pool({ connectionString: server().url });
    onTestFinished(() => Promise.all([jobs.close(), pool.end()]).then(() => {}));
    const refused = (name: string) => ({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(new RegExp(`"${name}" is a Pool.*connect\\(\\)`)),
    });
    await jobs.run("pooled", async (run) => {
      // The pool has one idle connection, and its next statement goes to that: to the transaction, by chance.
      await pool.query("begin");
      await expect(assertFence(pool, run)).rejects.toMatchObject(refused("client"));
      await expect(run.end("done", { transaction: pool })).rejects.toMatchObject(refused("transaction"));
      const client = await pool.connect();
      await assertFence(client, run);
      await client.query("rollback");
      client.release();
    });
  });

  it.each(["repeatable read", "serializable"])(
    "rejects a run whose lock changed after the snapshot of a transaction at %s",
    async (level) => {
      const store = await open({ url: server().url });
      const key = storedLockKey("old");
      const taken = await store.commit({ checks: [], writes: [{ key, value: "1" }] });
      const client = await connect(server().url);
      await client.query(`begin isolation level ${level}`);
      await client.query("select count(*) from ojm.entries");
      await store.commit({ checks: [], writes: [{ key, value: "2" }] });
      const run = { name: "old", fence: taken.ok ? taken.version : "" };
      await expect(assertFence(client, run)).rejects.toMatchObject({ code: "LOST" });
    },
  );

  it("needs no right on the tables", async () => {
    const store = await open({ url: server().url });
    const taken = await store.commit({ checks: [], writes: [{ key: storedLockKey("app"), value: "1" }] });
    await server().sql("create role app login; grant usage on schema ojm to app");
    const client = await connect(server().url.replace("ojm@", "app@"));
    await client.query("begin");
    await assertFence(client, { name: "app", fence: taken.ok ? taken.version : "" });
    await client.query("commit");
  });
});
