import { join } from "node:path";
import { openJobManager } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { onSharedStores } from "./support/stores.js";

const HOUR = 3_600_000;

onSharedStores({ first: ["redis"] }, (create) => {
  it("a hold outlives the manager that took it, and ends by an unlock of another", async () => {
    const options = await create();
    {
      await using first = await openJobManager(options);
      await first.hold("job", { reason: "the schema changes", author: "ana", until: Date.now() + HOUR });
    }
    await using second = await openJobManager(options);
    const refused = second.run("job", () => "no", { wait: 0 });
    await expect(refused).rejects.toThrow(/held for maintenance by ana until .*: the schema changes$/);
    expect(await second.unlock("job", { reason: "done" })).toMatchObject({ unlocked: true });
    expect((await second.run("job", () => "yes", { wait: 0 })).result).toBe("yes");
  });

  it("a hold ends by itself, and who waits runs then", async () => {
    await using manager = await openJobManager(await create());
    await manager.hold("job", { reason: "a moment", until: Date.now() + 1_500 });
    await expect(manager.run("job", () => "no", { wait: 0 })).rejects.toMatchObject({ code: "LOCKED" });
    expect((await manager.run("job", () => "yes", { wait: 60_000 })).result).toBe("yes");
  });

  it("a hold that is rejected is not set, and one that waits begins when the run is cancelled", async () => {
    const options = await create();
    await using manager = await openJobManager(options);
    await using other = await openJobManager(options);
    const run = await manager.start("job");
    run.signal.addEventListener("abort", () => void run.cancel());
    await expect(other.hold("job", { reason: "first" })).rejects.toMatchObject({ code: "LOCKED" });
    const held = other.hold("job", { reason: "second", wait: 60_000 });
    await expect.poll(() => manager.waiters("job")).toHaveLength(1);
    expect(await manager.cancel("job", { reason: "the schema changes" })).toMatchObject({ ended: true });
    expect((await held).note).toMatchObject({ hold: { reason: "second" } });
    await expect(manager.run("job", () => "no", { wait: 0 })).rejects.toThrow(/held for maintenance/);
  });
});

it("a hold in a store of one process is there when the store is opened again", async () => {
  const channel = { type: "level", args: { path: join(temporaryFolder(), "store") } };
  const options = { chJobs: channel, chLocks: channel };
  {
    await using first = await openJobManager(options);
    await first.hold("job", { reason: "the schema changes" });
  }
  await using second = await openJobManager(options);
  await expect(second.run("job", () => "no", { wait: 0 })).rejects.toThrow(/held for maintenance/);
  await second.unlock("job", { reason: "done" });
  expect((await second.run("job", () => "yes", { wait: 0 })).result).toBe("yes");
});
