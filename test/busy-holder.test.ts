/**
 * Holders that block the event loop, in several processes: locks/busy.test.ts tests it in one.
 * @module-tag full
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type JobManager, type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { type Child, startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";
import { Witness } from "./support/witness.js";

/** The heartbeat thread has half of it to open the store, which takes a while on a busy machine. */
const TTL = 12_000;

/** Starts a holder that computes until `release` is called. */
async function startBusy(options: JobManagerOptions, witness: Witness, run: object): Promise<[Child, () => void]> {
  const file = join(temporaryFolder(), "go on");
  const child = startChild("busy.child.ts", [JSON.stringify(options), file, JSON.stringify(run)]);
  const entered = witness.entered;
  witness.observe(child.process);
  await expect.poll(() => witness.entered).toBe(entered + 1);
  return [child, () => writeFileSync(file, "")];
}

/** The last message of the child. */
function lastWord(child: Child): Promise<unknown> {
  return new Promise((resolve) => {
    child.process.on("message", (message: { readonly type?: string }) => {
      if (message.type === "said") resolve(message);
    });
  });
}

async function history(manager: JobManager): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for await (const record of manager.history({ name: "job" })) records.push(record);
  return records;
}

/** Resolves once the session of a holder was renewed this many times. */
async function renewals({ channels: { locks } }: JobManager, session: string, count: number): Promise<void> {
  const versions = new Set<string | undefined>();
  const look = async (): Promise<number> => {
    versions.add((await locks.entry(["session", session]))?.version);
    return versions.has(undefined) ? -1 : versions.size - 1;
  };
  await expect.poll(look, { interval: 100 }).toBeGreaterThanOrEqual(count);
}

onSharedStores({}, (create) => {
  it("a run whose body computes for several times the ttl without a break keeps its lock", async () => {
    const options = { ...(await create()), ttl: TTL };
    const witness = new Witness();
    const [holder, release] = await startBusy(options, witness, {});
    const said = lastWord(holder);
    const contender = startChild("contender.child.ts", [JSON.stringify(options), "job", "1"]);
    witness.observe(contender.process);
    await using manager = await openJobManager(options);
    await expect.poll(async () => (await manager.heldLocks())[0]?.waiting).toBe(1);
    const session = (await manager.heldLocks())[0]?.holder.instance ?? "";
    // Half a ttl apart at most.
    await renewals(manager, session, 3);
    expect(witness.entered).toBe(1);

    release();
    expect(await said).toMatchObject({ said: "completed", held: true });
    expect(await contender.ended, contender.output.stderr).toBe(0);
    expect(await holder.ended, holder.output.stderr).toBe(0);
    expect(witness.violations).toEqual([]);
    expect(witness.entered).toBe(2);
    expect((await history(manager)).map(({ status }) => status)).toEqual(["completed", "completed"]);
    expect(await manager.channels.locks.size({ prefix: ["lock"] })).toBe(0);
    // Only this process is left. The closed sessions stay closed.
    expect(await manager.channels.locks.get(["session", session])).toBeUndefined();
  });

  it("a run whose body computes beyond its timeout loses its lock then, and is closed as timeout", async () => {
    const options = { ...(await create()), ttl: TTL };
    const witness = new Witness();
    const [holder, release] = await startBusy(options, witness, { timeout: 5_000 });
    const said = lastWord(holder);
    await using manager = await openJobManager({ ...options, ttl: 3_600_000 });
    const { result } = await manager.run("job", () => "mine", { wait: 300_000 });
    expect(result).toBe("mine");
    const late = (await history(manager)).find(({ holder: { pid } }) => pid === holder.process.pid);
    expect(late).toMatchObject({ status: "timeout", inError: true });
    expect(late?.error).toContain("took longer than its timeout of 5 s");

    release();
    expect(await said).toMatchObject({ said: "TIMEOUT", held: false });
    expect(await holder.ended, holder.output.stderr).toBe(0);
    expect((await history(manager)).map(({ status }) => status).sort()).toEqual(["completed", "timeout"]);
    expect(await manager.channels.locks.size({ prefix: ["lock"] })).toBe(0);
  });

  it("a busy process that waits for another lock lets the waiters behind it in the queue pass", async () => {
    const options = { ...(await create()), ttl: TTL };
    const witness = new Witness();
    await using manager = await openJobManager({ ...options, ttl: 3_600_000 });
    const other = await manager.start("other");
    const [holder, release] = await startBusy(options, witness, {});
    const said = lastWord(holder);
    const [held] = (await manager.heldLocks()).filter(({ name }) => name === "job");
    // As if the busy process had requested it before it blocked its event loop.
    const ticket = { session: held?.holder.instance ?? "", token: "of the busy one" };
    await manager.channels.locks.set(["lock", "other", "queue"], { waiting: [ticket] });
    const next = manager.run("other", () => "passed", { wait: 300_000 });
    await other.end();
    expect((await next).result).toBe("passed");
    expect(witness.entered).toBe(1);
    release();
    expect(await said).toMatchObject({ said: "completed" });
  });
});
