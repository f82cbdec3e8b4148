/** Triggers and batches over several processes, which are killed. */
import { openJobManager } from "@ojm/core";
import { openQueues } from "@ojm/queue";
import { expect, it } from "vitest";
import { collect } from "../packages/core/src/testing/settle.js";
import { begin, replaceKilled, stop } from "./support/queue-workers.js";
import { onSharedStores } from "./support/stores.js";

onSharedStores({}, (create) => {
  it("the newest trigger is handled although its worker is killed, once and by one process", async () => {
    // Waiting for the end of a session would take longer than this test may take.
    const options = { ...(await create()), ttl: 3_600_000 };
    await using manager = await openJobManager(options);
    await using queues = openQueues(manager);
    const victim = await begin(options, 600_000);
    const { id } = await queues.trigger("mail", 0);
    await expect.poll(() => victim.began).toEqual([id]);
    const workers = [await begin(options), await begin(options)];
    for (let i = 1; i < 10; i++) expect(await queues.trigger("mail", i)).toEqual({ id, added: false, replaced: true });
    victim.process.kill("SIGKILL");
    await victim.ended;
    const handled = await manager.channel("handled");
    await expect.poll(() => handled.get(id)).toEqual([9]);
    await expect.poll(() => collect(queues.items("mail"))).toEqual([]);
    await stop(...workers);
    expect(workers.flatMap(({ began }) => began)).toEqual([id]);
  });

  it("the callback of a batch comes once, after all items, although workers are killed", async () => {
    const options = { ...(await create()), ttl: 3_600_000 };
    await using manager = await openJobManager(options);
    await using queues = openQueues(manager);
    await queues.define("mail", { attempts: 50, delay: 0 });
    const workers = [await begin(options), await begin(options)];
    const data = Array.from({ length: 60 }, (_, i) => i);
    expect(await queues.batch("mail", "b", data, { callback: { queue: "all sent", data: "b" } })).toBe(60);
    await replaceKilled(workers, options, 2);
    const callbacks = () => collect(queues.items("all sent"));
    await expect.poll(callbacks).toMatchObject([{ data: "b", meta: { batch: "b" } }]);
    expect(await collect(queues.items("mail"))).toEqual([]);
    const handled = await collect((await manager.channel<number[]>("handled")).entries());
    expect(handled.flatMap(({ value }) => value).toSorted((a, b) => a - b)).toEqual(data);
    await stop(...workers);
    expect(await callbacks()).toHaveLength(1);
  });
});
