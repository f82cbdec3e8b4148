import { openJobManager } from "@ojm/core";
import { expect, it } from "vitest";
import { startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

onSharedStores((create) => {
  it("a run is cancelled from another process, which is told when it ended; other runs of its process go on", async () => {
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
    const { asked, ended, run } = await manager.cancel("a", { reason: "wrong month", wait });
    expect({ asked, ended }).toEqual({ asked: true, ended: true });
    expect(run).toMatchObject({
      status: "cancelled",
      holder: { pid: holder.process.pid },
      endedBy: { action: "cancel", by: { pid: process.pid }, reason: "wrong month" },
    });
    await expect.poll(() => told).toEqual([expect.stringContaining(`pid ${process.pid}: wrong month`)]);
    expect((await manager.running()).map(({ name }) => name)).toEqual(["b"]);

    const id = began.find((one) => one.startsWith("b@")) ?? "";
    expect(await manager.cancel(id, { reason: "and this", wait })).toMatchObject({ ended: true, run: { id } });
    expect(await holder.ended).toBe(0);
  });

  it("the holder of a lock that another process unlocks is told by whom, and why", async () => {
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
});
