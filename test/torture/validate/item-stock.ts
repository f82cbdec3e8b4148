import type { JobManager, RunRecord } from "@ojm/core";
import { type Item, openQueues, type Queues } from "@ojm/queue";
import { collect } from "../../../packages/core/src/testing/settle.js";
import type { ItemStock } from "../scene/events.js";
import { QUEUE, rowOf, TABLE } from "../scene/jobs.js";
import { patiently } from "../scene/patiently.js";

/** How long no item may come to its end, in ms. Only a failing cell waits this long. */
const PATIENCE = 30_000;

/** Handles the items that are left, so that each has its end, and reads these. */
export async function takeItemStock(manager: JobManager): Promise<ItemStock> {
  await using queues = openQueues(manager);
  const table = await patiently(() => manager.channel<true>(TABLE));
  await patiently(() => queues.resume(QUEUE));
  const handle = (item: Item): Promise<void> => item.complete(null, rowOf(table, item));
  const worker = await patiently(() => queues.work(QUEUE, handle, { concurrency: 20 }));
  await settled(queues, async () => {
    // A wall clock that was ahead may have set the time of an item.
    for await (const { id } of queues.items(QUEUE, { state: "delayed" })) await queues.retry(QUEUE, id).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  await worker.close();
  return await patiently(() => readItems(manager, queues));
}

/** Waits until the workers of other processes have ended all items, and reads the ends. */
export async function settledItems(manager: JobManager): Promise<ItemStock> {
  await using queues = openQueues(manager);
  await settled(queues, () => new Promise((resolve) => setTimeout(resolve, 500)));
  return await patiently(() => readItems(manager, queues));
}

/** Repeats `rest` until no item is without an end, or none comes to its end any more. */
async function settled(queues: Queues, rest: () => Promise<void>): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  for (let since = performance.now(); performance.now() < since + PATIENCE; ) {
    const { length } = await patiently(() => unended(queues));
    if (length === 0) return;
    if (length < least) since = performance.now();
    least = Math.min(least, length);
    await rest();
  }
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
