/** Processes that share the queues of a store. */
import { type JobManager, openJobManager } from "@ojm/core";
import { openQueues, type Queues } from "@ojm/queue";
import { expect, it } from "vitest";
import { collect } from "../packages/core/src/testing/settle.js";
import { begin, replaceKilled, stop, type Worker } from "./support/queue-workers.js";
import { onSharedStores } from "./support/stores.js";

const ITEMS = 150;

async function addAll(queues: Queues, count = ITEMS): Promise<string[]> {
  const added = await Promise.all(Array.from({ length: count }, (_, i) => queues.add("mail", i)));
  return added.map(({ id }) => id);
}

/** Each item is sent once, and nothing is left. */
async function expectEachOnce(manager: JobManager, queues: Queues, ids: readonly string[]): Promise<void> {
  const sent = await manager.channel<string[]>("sent");
  const sentIds = async (): Promise<unknown[]> => (await collect(sent.keys())).map(({ key }) => key).toSorted();
  await expect.poll(sentIds).toEqual(ids.toSorted());
  await expect.poll(() => collect(queues.items("mail"))).toEqual([]);
  const entries = await collect(sent.entries());
  expect(entries.filter(({ value }) => value.length !== 1)).toEqual([]);
  expect(await manager.heldLocks()).toEqual([]);
}

onSharedStores({}, (create) => {
  it("workers of several processes handle each item of a queue once", async () => {
    const options = await create();
    await using manager = await openJobManager(options);
    await using queues = openQueues(manager);
    const workers = await Promise.all([begin(options), begin(options)]);
    const ids = await addAll(queues);
    await expectEachOnce(manager, queues, ids);
    await stop(...workers);
    expect(workers.flatMap(({ began }) => began).toSorted()).toEqual(ids.toSorted());
    for (const { began } of workers) expect(began.length).toBeGreaterThan(ITEMS / 10);
  });

  it("workers that are killed again and again lose no item, and none is completed twice", async () => {
    // Waiting for the end of a session would take longer than this test may take.
    const options = { ...(await create()), ttl: 3_600_000 };
    await using manager = await openJobManager(options);
    await using queues = openQueues(manager);
    await queues.define("mail", { attempts: 50, delay: 0 });
    const workers = [await begin(options), await begin(options), await begin(options)];
    const ids = await addAll(queues);
    await replaceKilled(workers, options, 3);
    await expectEachOnce(manager, queues, ids);
    await stop(...workers);
    const records = await collect(manager.history({ name: "mail" }));
    // With two stores, a process may die between lock and record: a later check closes such a record.
    const others = options.chJobs === options.chLocks ? ["completed", "lost"] : ["completed", "lost", "running"];
    expect(others).toEqual(expect.arrayContaining([...new Set(records.map(({ status }) => status))]));
    const completed = records.filter(({ status }) => status === "completed");
    expect(new Set(completed.map(({ meta }) => meta?.["item"]))).toEqual(new Set(ids));
    // With two stores, a process may die after it has closed the record and before the item has ended. Then
    // another one handles the item again. What the handler writes with the end is written once: see above.
    if (options.chJobs === options.chLocks) expect(completed).toHaveLength(ITEMS);
  });

  it("idle workers take the items once those that follow the queue are dead or have no slot", async () => {
    const options = { ...(await create()), ttl: 3_600_000 };
    await using manager = await openJobManager(options);
    await using queues = openQueues(manager);
    await queues.define("mail", { attempts: 50, delay: 0 });
    const workers: Worker[] = [];
    for (let i = 0; i < 6; i++) workers.push(await begin(options, 500));
    const idle = workers.splice(4);
    // Four workers have 20 slots. While a slow machine adds more than that, they may already have a free one.
    const ids: string[] = [];
    const called = async (): Promise<number> => {
      ids.push(...(await addAll(queues, 26)));
      return idle.flatMap(({ began }) => began).length;
    };
    await expect.poll(called, { interval: 200 }).toBeGreaterThan(0);
    await expectEachOnce(manager, queues, ids);
    for (const { process } of workers) process.kill("SIGKILL");
    await expectEachOnce(manager, queues, [...ids, ...(await addAll(queues, 3))]);
    await stop(...idle);
  });

  it("a worker that is asked to end gives back what it cannot finish, and another one takes it", async () => {
    const options = await create();
    await using manager = await openJobManager(options);
    await using queues = openQueues(manager);
    const slow = await begin(options, 60_000);
    const ids = await addAll(queues, 3);
    await expect.poll(() => slow.began.length).toBe(3);
    const other = await begin(options);
    await stop(slow);
    await expectEachOnce(manager, queues, ids);
    await stop(other);
    const records = await collect(manager.history({ name: "mail" }));
    expect(records.map(({ status, meta }) => `${status} ${meta?.["attempt"]}`).toSorted()).toEqual([
      ...Array(3).fill("completed 1"),
      ...Array(3).fill("skipped 1"),
    ]);
  });
});
