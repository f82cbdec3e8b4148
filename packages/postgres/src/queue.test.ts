import { type JobManager, openJobManager } from "@ojm/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { collect } from "../../core/src/testing/settle.js";
import { type Item, openQueues } from "../../queue/src/index.js";
import { backend } from "./index.js";
import { connect, missing, serverOf } from "./testing/stores.js";

describe.skipIf(missing() !== undefined)("queues on PostgreSQL", () => {
  const server = serverOf();

  async function openJobs(args: { readonly deadline?: number } = {}): Promise<JobManager> {
    const store = { backend, args: { url: server().url, ...args } };
    const jobs = await openJobManager({ chJobs: store, chLocks: store });
    onTestFinished(() => jobs.close());
    return jobs;
  }

  it("an item is added in a transaction of the program, or not at all", async () => {
    const client = await connect(server().url);
    const queues = openQueues(await openJobs());
    for (const end of ["rollback", "commit"]) {
      const [added] = await queues.ops("added", end);
      await client.query("begin");
      await added?.channel.commitIn(client, added.ops);
      await client.query(end);
    }
    expect(await collect(queues.items("added"))).toMatchObject([{ state: "waiting", data: "commit" }]);
  });

  it("an item is completed in a transaction of its handler, and tried again after a rollback", async () => {
    const client = await connect(server().url);
    await client.query("create table mails (attempt int)");
    const jobs = await openJobs();
    const queues = openQueues(jobs);
    await queues.define("mail", { attempts: 3, delay: 0 });
    await queues.add("mail", "x");
    const worker = await queues.work("mail", async (item) => {
      await client.query("begin");
      await client.query("insert into mails values ($1)", [item.attempt]);
      await item.complete("sent", { transaction: client });
      if (item.attempt === 1) {
        await client.query("rollback");
        throw new Error("no route");
      }
      await client.query("commit");
    });
    const statuses = async (): Promise<string[]> =>
      (await collect(jobs.history({ name: "mail" }))).map(({ status }) => status);
    await expect.poll(statuses).toEqual(["completed", "failed"]);
    await worker.close();
    expect((await client.query("select attempt from mails")).rows).toEqual([{ attempt: 2 }]);
    const records = await collect(jobs.history({ name: "mail" }));
    expect(records.map(({ status, error }) => [status, error])).toEqual([
      ["completed", undefined],
      ["failed", "no route"],
    ]);
  });

  it("no call that a stopped server does not answer ends the process of a worker, and all items are handled", async () => {
    // Vitest fails if any promise is rejected that no code awaits.
    const jobs = await openJobs({ deadline: 300 });
    const queues = openQueues(jobs);
    const limits = { permits: { stalled: 2 }, rate: { name: "stalled", max: 1_000, per: 1_000 }, perGroup: 1 };
    await queues.define("stalled", { attempts: 100, delay: 0, ...limits });
    const handled = new Set<unknown>();
    const handle = ({ data, run }: Item): void => {
      run.log.info("handled");
      run.progress(1);
      handled.add(data);
    };
    const worker = await queues.work("stalled", handle, { concurrency: 4 });
    const ITEMS = 10;
    for (let stall = 1; stall <= 3; stall++) {
      for (let n = 0; n < ITEMS; n++) {
        const group = n % 2 === 0 ? { group: `g${n % 4}` } : {};
        await queues.add("stalled", stall * ITEMS + n, { ...group, delay: n });
      }
      const heal = await server().pause();
      try {
        for (let i = 0; i < 3; i++)
          await expect(jobs.channels.locks.size()).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
      } finally {
        await heal();
      }
      await expect.poll(() => handled.size, { timeout: 60_000 }).toBe(stall * ITEMS);
    }
    const heal = await server().pause();
    try {
      await worker.close({ grace: 0 });
    } finally {
      await heal();
    }
  }, 240_000);
});
