import { join } from "node:path";
import { type JobManager, type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, it, onTestFinished } from "vitest";
import { Ojm } from "../packages/cli/src/testing/ojm.js";
import { startChild } from "./support/processes.js";
import { folderWithStore } from "./support/store-config.js";
import { onSharedStores } from "./support/stores.js";

/** Fails once, and resolves while the retry series waits for its next attempt. */
async function failOnce(manager: JobManager, name: string): Promise<void> {
  const retry = { attempts: 3, delay: 3_600_000 };
  const chain = manager.run(name, () => Promise.reject(new Error("no route")), { retry });
  chain.catch(() => {});
  await expect.poll(async () => (await manager.retries(name)).length).toBe(1);
}

/** Cancels a job by the command line, in a process of its own. Resolves to the pid of that process. */
async function cancelByHand(options: JobManagerOptions, name: string): Promise<number | undefined> {
  const ojm = new Ojm(folderWithStore(options), ["cancel", name, "--reason", "wrong month"]);
  onTestFinished(() => void ojm.process.kill("SIGKILL"));
  expect(await ojm.ended).toMatchObject({ code: 0, out: expect.stringMatching(/^cancelled attempt 2 of 3/), err: "" });
  return ojm.process.pid;
}

async function recordsOf(manager: JobManager, name: string): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for await (const record of manager.history({ name })) records.push(record);
  return records;
}

/** The records of a retry series that this process cancelled before its second attempt. */
const cancelledBy = (pid: number | undefined): readonly unknown[] => [
  { attempt: 2, status: "cancelled", endedBy: { action: "cancel", by: { pid }, reason: "wrong month" } },
  { attempt: 1, status: "failed" },
];

onSharedStores({ first: ["sqlite, one file"] }, (create) => {
  it("a run is cancelled from another process, which learns when it ended; other runs of its process continue", async () => {
    const options = await create();
    const holder = startChild("runs/stoppable.child.ts", [JSON.stringify(options), "a", "b"]);
    const began: string[] = [];
    const told: string[] = [];
    holder.process.on("message", (message: { readonly began?: string; readonly told?: string }) => {
      if (message.began !== undefined) began.push(message.began);
      if (message.told !== undefined) told.push(message.told);
    });
    await expect.poll(() => began.length).toBe(2);

    await using manager = await openJobManager(options);
    const wait = 60_000;
    const { requested, ended, run } = await manager.cancel("a", { reason: "wrong month", wait });
    expect({ requested, ended }).toEqual({ requested: true, ended: true });
    expect(run).toMatchObject({
      status: "cancelled",
      holder: { pid: holder.process.pid },
      endedBy: { action: "cancel", by: { pid: process.pid }, reason: "wrong month" },
    });
    await expect.poll(() => told).toEqual([expect.stringContaining(`pid ${process.pid}: wrong month`)]);
    expect((await manager.openRecords()).map(({ name }) => name)).toEqual(["b"]);

    const id = began.find((one) => one.startsWith("b@")) ?? "";
    expect(await manager.cancel(id, { reason: "and this", wait })).toMatchObject({ ended: true, run: { id } });
    expect(await holder.ended).toBe(0);
  });

  it("the holder of a lock that another process unlocks learns by whom, and why", async () => {
    const options = await create();
    const holder = startChild("runs/stoppable.child.ts", [JSON.stringify(options), "a"]);
    const told: string[] = [];
    holder.process.on("message", (message: { readonly told?: string }) => {
      if (message.told !== undefined) told.push(message.told);
    });
    await holder.message();
    await using manager = await openJobManager(options);
    expect(await manager.unlock("a", { reason: "it hangs" })).toMatchObject({ unlocked: true });
    await expect.poll(() => told.length).toBe(1);
    // A store that reports the lock and the reason by two watches may report the lock first.
    expect(told[0]).toMatch(/unlocked by force, by .*: it hangs$|removed or replaced, by a forced unlock/);
  });

  it("ojm cancel ends a chain between two attempts, and its last record says who did it", async () => {
    const options = await create();
    await using manager = await openJobManager(options);
    await failOnce(manager, "a");
    const pid = await cancelByHand(options, "a");
    expect(await recordsOf(manager, "a")).toMatchObject(cancelledBy(pid));
    expect(await manager.retries()).toEqual([]);
    await expect.poll(() => manager.heldLocks()).toEqual([]);
  });
});

it("ojm cancel ends a chain in a store of one process, once the process that waited has closed it", async () => {
  const channel = { type: "level", args: { path: join(temporaryFolder(), "store") } };
  const options = { chJobs: channel, chLocks: channel };
  {
    await using first = await openJobManager(options);
    await failOnce(first, "a");
  }
  const pid = await cancelByHand(options, "a");
  await using second = await openJobManager(options);
  expect(await recordsOf(second, "a")).toMatchObject(cancelledBy(pid));
  expect([await second.retries(), await second.heldLocks()]).toEqual([[], []]);
});
