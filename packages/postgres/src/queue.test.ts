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
});
