import type { JobManager, RunRecord } from "@ojm/core";
import { type Item, openQueues, type Queues } from "@ojm/queue";
import { collect } from "../../../packages/core/src/testing/settle.js";
import type { ItemStock } from "../scene/events.js";
import { QUEUE, rowOf, TABLE } from "../scene/jobs.js";
import { patiently } from "../scene/patiently.js";

/** How long the rest of the items may take, in ms. Only a failing cell waits this long. */
const PATIENCE = 30_000;

/** Handles the items that are left, so that each has its end, and reads these. */
export async function takeItemStock(manager: JobManager): Promise<ItemStock> {
  await using queues = openQueues(manager);
  const table = await patiently(() => manager.channel<true>(TABLE));
  await patiently(() => queues.resume(QUEUE));
  const handle = (item: Item): Promise<void> => item.complete(null, rowOf(table, item));
  const worker = await patiently(() => queues.work(QUEUE, handle, { concurrency: 20 }));
  const end = performance.now() + PATIENCE;
  while ((await patiently(() => unended(queues))).length > 0 && performance.now() < end) {
    // A wall clock that was ahead may have set the time of an item.
    for await (const { id } of queues.items(QUEUE, { state: "delayed" })) await queues.retry(QUEUE, id).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await worker.close();
  return await patiently(() => readItems(manager, queues));
}

/** Waits until the workers of other processes have no item any more, for `patience` ms at most. */
export async function settledItems(manager: JobManager, patience: number): Promise<ItemStock> {
  await using queues = openQueues(manager);
  const end = performance.now() + patience;
  while ((await patiently(() => unended(queues))).length > 0 && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 500));
  return await patiently(() => readItems(manager, queues));
}

/** The items without an end, with their states. */
async function unended(queues: Queues): Promise<string[]> {
  return (await collect(queues.items(QUEUE))).flatMap(({ id, state }) => (state === "dead" ? [] : [`${id}: ${state}`]));
}

async function readItems(manager: JobManager, queues: Queues): Promise<ItemStock> {
  const table = await manager.channel<true>(TABLE);
  const records = await collect<RunRecord>(manager.history({ name: QUEUE }));
  return {
    done: (await collect(table.keys())).map(({ key }) => key as unknown as [string, string]),
    dead: (await collect(queues.items(QUEUE, { state: "dead" }))).map(({ id }) => id),
    stuck: await unended(queues),
    runs: records.map(({ id, status, meta }) => ({ id, status, item: String(meta?.["item"]) })),
  };
}
