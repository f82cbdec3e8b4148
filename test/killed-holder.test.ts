import { type JobManager, openJobManager, type RunRecord } from "@ojm/core";
import { expect, it } from "vitest";
import { startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";
import { Witness } from "./support/witness.js";

async function history(manager: JobManager): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for await (const record of manager.history({ name: "job" })) records.push(record);
  return records;
}

/**
 * The time to live of a killed holder, in ms. It is so long that within a test only a check of the process
 * reveals the death, not the end of the session.
 */
const NEVER = 3_600_000;

onSharedStores({ first: ["redis"] }, (create) => {
  it("a holder that is killed is replaced at once, and its run is closed as lost, once", async () => {
    const options = await create();
    const holder = startChild("contender.child.ts", [JSON.stringify({ ...options, ttl: NEVER }), "job", "0"]);
    const witness = new Witness();
    witness.observe(holder.process);
    await expect.poll(() => witness.entered).toBe(1);

    await using first = await openJobManager(options);
    await using second = await openJobManager(options);
    await expect(first.run("job", () => "no", { wait: 0 })).rejects.toMatchObject({ code: "LOCKED" });
    expect((await first.openRecords()).map(({ status }) => status)).toEqual(["running"]);

    holder.process.kill("SIGKILL");
    await holder.ended;
    // Both find the dead holder, both take the lock in turn, and only one closes the dead run. Without `wait`
    // it would be the sweep's turn.
    const wait = 60_000;
    const outcomes = await Promise.all([first.run("job", () => "a", { wait }), second.run("job", () => "b", { wait })]);
    expect(outcomes.map(({ result }) => result)).toEqual(["a", "b"]);

    const records = await history(first);
    expect(records.map(({ status }) => status).sort()).toEqual(["completed", "completed", "lost"]);
    const lost = records.find(({ status }) => status === "lost");
    expect(lost).toMatchObject({ holder: { pid: holder.process.pid }, inError: true });
    expect(lost?.error).toContain("ended, hung or lost the store, without closing the run");
    expect(await first.heldLocks()).toEqual([]);
  });

  it("a waiter in line takes over from a killed holder without waiting for its session to expire", async () => {
    const options = await create();
    const holder = startChild("contender.child.ts", [JSON.stringify({ ...options, ttl: NEVER }), "job", "0"]);
    const witness = new Witness();
    witness.observe(holder.process);
    await expect.poll(() => witness.entered).toBe(1);

    await using manager = await openJobManager(options);
    const waiting = manager.run("job", () => "mine", { wait: 60_000 });
    await expect.poll(async () => (await manager.heldLocks())[0]?.waiting).toBe(1);
    holder.process.kill("SIGKILL");
    expect((await waiting).result).toBe("mine");
  });

  it("a waiter at the end of a line takes over when the holder and all processes ahead of it are killed at once", async () => {
    const options = await create();
    const start = (times: string): ReturnType<typeof startChild> =>
      startChild("contender.child.ts", [JSON.stringify({ ...options, ttl: NEVER }), "job", times, "at once"]);
    const witness = new Witness();
    const holder = start("0");
    witness.observe(holder.process);
    await expect.poll(() => witness.entered).toBe(1);

    await using manager = await openJobManager(options);
    const inLine = async (): Promise<number | undefined> => (await manager.heldLocks())[0]?.waiting;
    const ahead = Array.from({ length: 6 }, () => start("2"));
    await expect.poll(inLine).toBe(12);
    const last = manager.run("job", () => "mine", { wait: 60_000 });
    await expect.poll(inLine).toBe(13);
    for (const child of [holder, ...ahead]) child.process.kill("SIGKILL");
    expect((await last).result).toBe("mine");
    expect(await manager.heldLocks()).toEqual([]);
  });

  // After some 40 ms, the process watches its lock.
  it.each([0, 200])(
    "a run that a process leaves open when it ends after %i ms is closed as lost at once",
    async (ms) => {
      const options = await create();
      const child = startChild("leaver.child.ts", [JSON.stringify(options), String(ms)]);
      expect(await child.ended).toBe(0);
      await using manager = await openJobManager(options);
      expect(await history(manager)).toMatchObject([
        { status: "lost", error: "its process ended without closing the run" },
      ]);
      expect(await manager.heldLocks()).toEqual([]);
    },
  );
});
