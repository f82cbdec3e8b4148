import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type Channel, type JobManager, openJobManager, type Run, type RunRecord } from "@ojm/core";
import { programArgs } from "@ojm/testing/programs";
import type pg from "pg";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { backend } from "./index.js";
import { connect, missing, serverOf } from "./testing/stores.js";

const TTL = "2s";

describe.skipIf(missing() !== undefined)("a run in the transaction of its job function", () => {
  const server = serverOf();

  beforeEach(async () => {
    await server().sql("drop table if exists effects; create table effects (by text)");
  });

  async function openJobs(ttl: string = TTL): Promise<JobManager> {
    const store = { backend, args: { url: server().url } };
    const jobs = await openJobManager({ chJobs: store, chLocks: store, ttl });
    onTestFinished(() => jobs.close());
    return jobs;
  }

  const effects = (): Promise<unknown> => server().sql("select by from effects order by by");

  async function history(jobs: JobManager, name: string): Promise<RunRecord[]> {
    const records: RunRecord[] = [];
    for await (const record of jobs.history({ name })) records.push(record);
    return records;
  }

  const last = async (jobs: JobManager, name: string): Promise<RunRecord | undefined> => (await history(jobs, name))[0];

  /** Does `work` in a transaction with an effect. */
  async function inTransaction(client: pg.Client, work: () => Promise<unknown>): Promise<void> {
    await client.query("begin");
    await client.query("insert into effects values ('first')");
    await work();
  }

  it("commits effects, entries and the end of the run together, and then wakes the next waiter", async () => {
    const [jobs, others] = [await openJobs(), await openJobs()];
    const client = await connect(server().url);
    const reports: Channel = await jobs.channel("reports");
    const order: string[] = [];
    let next: Promise<unknown> = Promise.resolve();
    const outcome = await jobs.run("together", async (run) => {
      next = others.run("together", async () => void order.push("second"), { wait: "60s" });
      await inTransaction(client, async () => {
        expect(await run.fenced(reports, [{ put: "total", value: 7 }], { transaction: client })).toBeUndefined();
        expect(await run.end(7, { transaction: client })).toMatchObject({ status: "completed", result: 7 });
      });
      expect([await effects(), await reports.get("total"), await last(others, "together")]).toEqual([
        [],
        undefined,
        expect.objectContaining({ status: "running" }),
      ]);
      order.push("commit");
      await client.query("commit");
      // The lock is free from here on: the run is over, not lost.
      await next;
      expect(run.signal.aborted).toBe(false);
    });
    expect(order).toEqual(["commit", "second"]);
    expect(outcome.record).toMatchObject({ status: "completed", result: 7 });
    const [, first] = await history(jobs, "together");
    expect(first).toEqual(outcome.record);
    expect([await effects(), await reports.get("total")]).toEqual([[{ by: "first" }], 7]);
  });

  it("returns its permits in COMMIT", async () => {
    const jobs = await openJobs();
    const client = await connect(server().url);
    const taken = (): Promise<number> => jobs.channels.locks.size({ prefix: ["permit", "few"] });
    const body = async (run: Run): Promise<void> => {
      await inTransaction(client, () => run.end(1, { transaction: client }));
      expect(await taken()).toBe(1);
      await client.query("commit");
      expect(await taken()).toBe(0);
    };
    await jobs.run("permitted", body, { permits: { few: 1 } });
  });

  it("is still active after a rollback, and may try again", async () => {
    const jobs = await openJobs();
    const client = await connect(server().url);
    const { record } = await jobs.run("again", async (run) => {
      await inTransaction(client, () => run.end("never", { transaction: client }));
      await client.query("rollback");
      run.assertHeld();
      await inTransaction(client, () => run.end("second try", { transaction: client }));
      await client.query("commit");
    });
    expect(record).toMatchObject({ status: "completed", result: "second try" });
    expect(await effects()).toEqual([{ by: "first" }]);
  });

  it("ends as its function does if its transaction was rolled back", async () => {
    const jobs = await openJobs();
    const client = await connect(server().url);
    const { record } = await jobs.run("without", async (run) => {
      await inTransaction(client, () => run.end("never", { transaction: client }));
      await client.query("rollback");
      return "without";
    });
    expect(record).toMatchObject({ status: "completed", result: "without" });
    expect(await last(jobs, "without")).toEqual(record);
  });

  it("ends as the store says if its function does not learn the outcome of COMMIT", async () => {
    const jobs = await openJobs();
    const client = await connect(server().url);
    const failing = jobs.run("unknown", async (run) => {
      await inTransaction(client, () => run.end("committed", { transaction: client }));
      await client.query("commit");
      throw new Error("the answer was lost");
    });
    await expect(failing).rejects.toThrow("the answer was lost");
    expect(await last(jobs, "unknown")).toMatchObject({ status: "completed", result: "committed" });
    const cut = await connect(server().url);
    const dropped = jobs.run("cut", async (run) => {
      await inTransaction(cut, () => run.end("never", { transaction: cut }));
      await server().sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where state like 'idle in transaction%'",
      );
      await cut.query("commit");
    });
    await expect(dropped).rejects.toThrow();
    expect(await last(jobs, "cut")).toMatchObject({ status: "failed" });
    expect(await effects()).toEqual([{ by: "first" }]);
  });

  it("cannot commit an end after its run was unlocked by force", async () => {
    const [jobs, others] = [await openJobs(), await openJobs()];
    const client = await connect(server().url);
    const losing = jobs.run("forced", async (run) => {
      await inTransaction(client, () => run.end("never", { transaction: client }));
      await others.unlock("forced", { reason: "a test" });
      await expect.poll(() => run.signal.aborted).toBe(true);
      await expect(client.query("commit")).rejects.toMatchObject({ code: "OJM02" });
    });
    await expect(losing).rejects.toMatchObject({ code: "LOST" });
    expect(await effects()).toEqual([]);
  });

  function startChild(): [ChildProcess, () => Promise<unknown>] {
    const program = programArgs(new URL("testing/programs/joined.child.ts", import.meta.url));
    const args = [...program, server().url, TTL];
    const child = spawn(process.execPath, args, { stdio: ["inherit", "inherit", "inherit", "ipc"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    return [child, async () => (await once(child, "message"))[0]];
  }

  /** Makes the next run of the job, with an effect. */
  async function takeOver(): Promise<readonly RunRecord[]> {
    const jobs = await openJobs();
    const client = await connect(server().url);
    await jobs.run(
      "report",
      async (run) => {
        await client.query("begin");
        await client.query("insert into effects values ('second')");
        await run.end("second", { transaction: client });
        await client.query("commit");
      },
      { wait: "60s" },
    );
    return (await history(jobs, "report")).slice(0, 2);
  }

  it("leaves neither effect nor end if its process is killed before COMMIT", async () => {
    const [child, next] = startChild();
    expect(await next()).toBe("joined");
    child.kill("SIGKILL");
    expect(await takeOver()).toMatchObject([{ status: "completed", result: "second" }, { status: "lost" }]);
    expect(await effects()).toEqual([{ by: "second" }]);
  });

  it("gets its COMMIT rejected by the database if its process was suspended until another one took over", async () => {
    const [child, next] = startChild();
    expect(await next()).toBe("joined");
    child.kill("SIGSTOP");
    // Its open transaction holds up neither the takeover nor the whole run of the other process.
    expect(await takeOver()).toMatchObject([{ status: "completed", result: "second" }, { status: "lost" }]);
    child.kill("SIGCONT");
    const answer = next();
    child.send("go");
    expect(await answer).toBe("OJM02");
    expect(await effects()).toEqual([{ by: "second" }]);
  });

  it("is cut off if its client hangs after SET CONSTRAINTS ALL IMMEDIATE, which holds up the store", async () => {
    const jobs = await openJobs("20s");
    const client = await connect(server().url);
    const entries = await jobs.channel("entries");
    const { record } = await jobs.run("hung", async (run) => {
      await inTransaction(client, () => run.end("never", { transaction: client }));
      await client.query("set constraints all immediate");
      await entries.set("k", 1);
      await expect(client.query("commit")).rejects.toThrow();
    });
    expect(record).not.toMatchObject({ result: "never" });
    expect(await effects()).toEqual([]);
  });

  it("rejects what is not a transaction at READ COMMITTED", async () => {
    const jobs = await openJobs();
    const client = await connect(server().url);
    await jobs.run("wrong", async (run: Run) => {
      const wrong = { code: "INVALID_ARGUMENT", message: expect.stringContaining("transaction") };
      await expect(run.end(1, { transaction: client })).rejects.toMatchObject(wrong);
      await expect(run.end(1, { transaction: undefined })).rejects.toMatchObject(wrong);
      await client.query("begin isolation level repeatable read");
      await expect(run.end(1, { transaction: client })).rejects.toMatchObject({
        code: "NOT_SUPPORTED",
        message: expect.stringContaining("READ COMMITTED"),
      });
      await client.query("rollback");
    });
    expect(await last(jobs, "wrong")).toMatchObject({ status: "completed" });
  });

  it("waits for the disk in COMMIT, although other commits of the store do not", async () => {
    const jobs = await openJobs();
    const client = await connect(server().url);
    const modes = await connect(server().url);
    await modes.query(
      "create or replace function mode() returns trigger language plpgsql as $$ begin raise notice '%', current_setting('synchronous_commit'); return null; end $$",
    );
    await modes.query("create table late (n int)");
    await modes.query(
      "create constraint trigger late after insert on late deferrable initially deferred for each row execute function mode()",
    );
    const notices: (string | undefined)[] = [];
    client.on("notice", ({ message }) => notices.push(message));
    await jobs.run("durable", async (run) => {
      await client.query("begin; set local synchronous_commit = off");
      await run.end(1, { transaction: client });
      await client.query("insert into late values (1)");
      await client.query("commit");
    });
    expect(notices).toEqual(["on"]);
  });
});
