import type { Channel, Op } from "@ojm/core";
import { fieldsOf, first, isCount, readable } from "@ojm/core/internal";
import { bytesOf, type CheckedAdd, checkAdd, refuse } from "../options.js";
import { type BatchValue, batchDoneKey, batchKey, inBatchKey, isBatch, type QueuesValue } from "./entries.js";
import { notOurs, type QueueStore } from "./store.js";

/** The most ops of a commit that adds a part of a batch: others wait for it. */
const LARGEST_PART = 500;

/** The most bytes of the items of such a commit: of all stores, etcd takes the least. */
const MOST_BYTES = 1_000_000;

/** The new items of a batch, which {@link Queues.batch} has checked. */
export interface NewBatch extends Pick<BatchValue, "callback"> {
  readonly queue: string;
  readonly id: string;
  readonly data: readonly unknown[];
  readonly options: CheckedAdd;
}

/**
 * Adds what the store does not have of a batch. One commit adds each part, and counts it: so a call that did
 * not finish is continued by the next one. Resolves to the number of items that this call added.
 *
 * @throws QueueError `INVALID` if the batch has another number of items; ChannelError `CORRUPT`, or if the
 * store fails
 */
export async function addBatch(store: QueueStore, batch: NewBatch): Promise<number> {
  const { queue, id, data, options, callback } = batch;
  const { channel } = store;
  const [key, doneKey] = [batchKey(queue, id), batchDoneKey(queue, id)];
  const most = Math.floor((Math.min(channel.supports.maxOps, LARGEST_PART) - 3) / 3);
  let count = 0;
  for (;;) {
    const [entry, done] = await channel.entriesUnder([key, doneKey]);
    const known = entry?.value;
    if (known !== undefined && !isBatch(known)) throw notOurs(key, "none of its items is missing");
    const { added, isOpen } = known ?? { added: 0, isOpen: true };
    const ended = fieldsOf<Pick<BatchValue, "added">>(done?.value)?.added;
    // An entry that ojm did not write says nothing of the number.
    const all = done === undefined ? added : isCount(ended) ? ended : data.length;
    const isClosed = done !== undefined || !isOpen;
    if (all > data.length || (isClosed && all < data.length))
      refuse(
        queue,
        `the batch "${id}" of the queue "${queue}" has ${all} items, and this call gives ${data.length}: a batch gets no other items later. Give all of them again, or others another id`,
      );
    if (isClosed) return count;
    const ops: Op<QueuesValue>[] = [];
    let [end, bytes] = [added, 0];
    while (end < data.length && end - added < most && bytes < MOST_BYTES) {
      const item = await store.addOps(queue, data[end], options, false, id);
      ops.push(...item.ops, { put: inBatchKey(queue, id, item.place.id), value: null });
      bytes += bytesOf(data[end++]);
    }
    const value: BatchValue = { added: end, isOpen: end < data.length, callback };
    const checks = [
      { check: key, version: entry?.version ?? null },
      { check: doneKey, version: null },
    ];
    if ((await channel.commit([...checks, { put: key, value }, ...ops])).ok) count += end - added;
  }
}

/** Adds the callback of a batch, once, if all of its items have ended. */
export async function endBatch(store: QueueStore, queue: string, id: string): Promise<void> {
  const channel = store.channel as Channel<QueuesValue>;
  const key = batchKey(queue, id);
  const entry = await first(readable(channel, { prefix: key, limit: 1 }));
  if (entry === undefined || !isBatch(entry.value) || entry.value.isOpen) return;
  // While the entry of the batch is as it was read, no item can have been added to it.
  for await (const _ of channel.keys({ prefix: inBatchKey(queue, id), limit: 1 })) return;
  const { callback, added } = entry.value;
  const options = checkAdd(callback.queue, { meta: { batch: id } }, store.clock.now());
  const { ops } = await store.addOps(callback.queue, callback.data, options, false);
  const { keep } = (await store.definition(queue)).options;
  const done = { put: batchDoneKey(queue, id), value: { added }, ttl: keep };
  await channel.commit([{ check: key, version: entry.version }, { delete: key }, done, ...ops]);
}

/** Adds the callbacks of all batches of a queue that need it: a process may have died before it did. */
export async function endBatches(store: QueueStore, queue: string): Promise<void> {
  for await (const { key } of store.channel.keys({ prefix: ["batch", queue] }))
    await endBatch(store, queue, String((key as readonly unknown[])[2]));
}
