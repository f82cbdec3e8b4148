import { type JobManager, openJobManager } from "@ojm/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { collect } from "../../core/src/testing/settle.js";
import { type Item, openQueues, type Worker } from "../../queue/src/index.js";
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

  it.each([
    ["all", ["completed", "failed"]],
    ["failed", ["failed"]],
    ["none", []],
  ] as const)(
    "an item is completed in a transaction of its handler, and tried again after a rollback: records %s",
    async (record, kept) => {
      const client = await connect(server().url);
      const [queue, table] = [`mail-${record}`, `mails_${record}`];
      await client.query(`create table ${table} (attempt int)`);
      const unrecorded: Error[] = [];
      const onWarning = (warning: Error & { readonly code?: string }): void => {
        if (warning.code === "OJM_UNRECORDED") unrecorded.push(warning);
      };
      process.on("warning", onWarning);
      onTestFinished(() => void process.off("warning", onWarning));
      const jobs = await openJobs();
      const queues = openQueues(jobs);
      await queues.define(queue, { attempts: 3, delay: 0, record });
      await queues.add(queue, "x");
      const worker = await queues.work(queue, async (item) => {
        await client.query("begin");
        await client.query(`insert into ${table} values ($1)`, [item.attempt]);
        await item.complete("sent", { transaction: client });
        if (item.attempt === 1) {
          await client.query("rollback");
          throw new Error("no route");
        }
        await client.query("commit");
      });
      // Another client sees only what is committed.
      const reader = await connect(server().url);
      const rows = async (): Promise<unknown[]> => (await reader.query(`select attempt from ${table}`)).rows;
      await expect.poll(rows).toEqual([{ attempt: 2 }]);
      await expect.poll(() => collect(queues.items(queue))).toEqual([]);
      await worker.close({ grace: "60s" });
      const records = await collect(jobs.history({ name: queue }));
      expect(records.map(({ status }) => status)).toEqual(kept);
      expect(unrecorded).toEqual([]);
    },
  );

  it("no call that a stopped server does not answer ends the process of a worker, and all items are handled", async () => {
    // Vitest fails if any promise is rejected that no code awaits.
    const adder = openQueues(await openJobs());
    const limits = { permits: { stalled: 2 }, rate: { name: "stalled", max: 1_000, per: 1_000 }, perGroup: 1 };
    await adder.define("stalled", { attempts: 100, delay: 0, ...limits });
    const handled = new Set<unknown>();
    const handle = ({ data, run }: Item): void => {
      run.log.info("handled");
      run.progress(1);
      handled.add(data);
    };
    // On a slow machine, any call may take longer than this deadline.
    const begin = async (): Promise<{ readonly jobs: JobManager; readonly worker: Worker }> => {
      const jobs = await openJobs({ deadline: 500 });
      return { jobs, worker: await openQueues(jobs).work("stalled", handle, { concurrency: 4 }) };
    };
    let begun: Awaited<ReturnType<typeof begin>> | undefined;
    await expect.poll(async () => (begun ??= await begin())).toBeDefined();
    const { jobs, worker } = begun as NonNullable<typeof begun>;
    const ITEMS = 10;
    for (let stall = 1; stall <= 3; stall++) {
      for (let n = 0; n < ITEMS; n++) {
        const group = n % 2 === 0 ? { group: `g${n % 4}` } : {};
        await adder.add("stalled", stall * ITEMS + n, { ...group, delay: n });
      }
      const heal = await server().pause();
      try {
        for (let i = 0; i < 3; i++)
          await expect(jobs.channels.locks.size()).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
      } finally {
        await heal();
      }
      await expect.poll(() => handled.size).toBe(stall * ITEMS);
    }
    const heal = await server().pause();
    try {
      await worker.close({ grace: 0 });
    } finally {
      await heal();
    }
  }, 240_000);
});
