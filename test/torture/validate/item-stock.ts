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
  const round = async (): Promise<boolean> => {
    const worker = await patiently(() => queues.work(QUEUE, handle, { concurrency: 20 }));
    const isSettled = await settled(queues, async () => {
      // A wall clock that was ahead may have set the time of an item.
      for await (const { id } of queues.items(QUEUE, { state: "delayed" }))
        await queues.retry(QUEUE, id).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    await worker.close();
    return isSettled;
  };
  return await readOnce(manager, queues, round);
}

/** Waits until the workers of other processes have ended all items, and reads the ends. */
export async function settledItems(manager: JobManager): Promise<ItemStock> {
  await using queues = openQueues(manager);
  const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500));
  return await readOnce(manager, queues, () => settled(queues, rest));
}

/** Reads the ends. A list misses an item that moves from one state to another meanwhile: then, once more. */
async function readOnce(manager: JobManager, queues: Queues, round: () => Promise<boolean>): Promise<ItemStock> {
  for (;;) {
    const isSettled = await round();
    const stock = await patiently(() => readItems(manager, queues));
    if (!isSettled || stock.stuck.length === 0) return stock;
  }
}

/** Repeats `rest` until no item is without an end. Resolves to `false` if none comes to its end any more. */
async function settled(queues: Queues, rest: () => Promise<void>): Promise<boolean> {
  let least = Number.POSITIVE_INFINITY;
  for (let since = performance.now(); performance.now() < since + PATIENCE; ) {
    const { length } = await patiently(() => unended(queues));
    if (length === 0) return true;
    if (length < least) since = performance.now();
    least = Math.min(least, length);
    await rest();
  }
  return false;
}

/** The items without an end, with what may keep workers from them. */
async function unended(queues: Queues): Promise<string[]> {
  const queue = (await collect(queues.list())).find(({ name }) => name === QUEUE);
  const pause = queue?.paused === undefined ? "" : ", the queue is paused";
  return (await collect(queues.items(QUEUE))).flatMap(({ id, state, group = "none", attempt }) =>
    state === "dead" ? [] : [`${id}: ${state}, group ${group}, attempt ${attempt}${pause}`],
  );
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
