import { type JobManager, openJobManager } from "@ojm/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { collect } from "../../core/src/testing/settle.js";
import { openQueues } from "../../queue/src/index.js";
import { backend } from "./index.js";
import { connect, missing, serverOf } from "./testing/stores.js";

describe.skipIf(missing() !== undefined)("queues on PostgreSQL", () => {
  const server = serverOf();

  async function openJobs(): Promise<JobManager> {
    const store = { backend, args: { url: server().url } };
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
      let isCommitted = false;
      const worker = await queues.work(queue, async (item) => {
        await client.query("begin");
        await client.query(`insert into ${table} values ($1)`, [item.attempt]);
        await item.complete("sent", { transaction: client });
        if (item.attempt === 1) {
          await client.query("rollback");
          throw new Error("no route");
        }
        await client.query("commit");
        isCommitted = true;
      });
      // An item may move while the states are read: that none is there says nothing before the last commit.
      await expect.poll(() => isCommitted, { timeout: 60_000 }).toBe(true);
      await expect.poll(async () => (await collect(queues.items(queue))).length, { timeout: 60_000 }).toBe(0);
      await worker.close({ grace: "60s" });
      expect((await client.query(`select attempt from ${table}`)).rows).toEqual([{ attempt: 2 }]);
      const records = await collect(jobs.history({ name: queue }));
      expect(records.map(({ status }) => status)).toEqual(kept);
      expect(unrecorded).toEqual([]);
    },
  );
});
