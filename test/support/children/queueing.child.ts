import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { openQueues } from "@ojm/queue";

/*
 * Works on the queue "mail" until SIGTERM. Arguments: the manager's options as JSON, and how long an item
 * takes, in ms. The commit that completes an item counts it in the channel "sent", and adds its data to those
 * in the channel "handled". Notifies its parent of each item that begins.
 */
const [options = "{}", takes = "0"] = process.argv.slice(2);

await using manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
await using queues = openQueues(manager);
const sent = await manager.channel<string[]>("sent");
const handled = await manager.channel<unknown[]>("handled");
const worker = await queues.work(
  "mail",
  async (item) => {
    process.send?.(item.id);
    await pause(Number(takes), undefined, { signal: item.signal });
    const entry = await sent.entry(item.id);
    const ops = [
      { check: item.id, version: entry?.version ?? null },
      { put: item.id, value: [...(entry?.value ?? []), item.run.id] },
    ];
    const data = { put: item.id, value: [...((await handled.get(item.id)) ?? []), item.data] };
    await item.complete("sent", [
      { channel: sent as never, ops },
      { channel: handled as never, ops: [data] },
    ]);
  },
  { concurrency: 5 },
);
const stopped = once(process, "SIGTERM");
process.send?.("ready");
await stopped;
await worker.close({ grace: "10s" });
process.disconnect?.();
