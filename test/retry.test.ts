import { compareVersions, type JobManager, openJobManager, type RunRecord } from "@ojm/core";
import { expect, it } from "vitest";
import { type Child, startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

/** Of a process that is killed, others of the same host see at once that it is gone. */
const NEVER = 3_600_000;

async function history(manager: JobManager): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for await (const record of manager.history({ name: "job" })) records.unshift(record);
  return records;
}

/** Resolves once the child has begun its first attempt. */
async function begun(child: Child): Promise<void> {
  expect(await child.message()).toMatchObject({ attempt: 1 });
}

/** Makes the attempts that are left, until none is. Resolves to their numbers. */
async function attemptsOf(manager: JobManager): Promise<number[]> {
  const made: number[] = [];
  const noneLeft = async (): Promise<number> => {
    const outcome = await manager.takeOver("job", ({ attempt }) => attempt);
    if (outcome !== undefined) made.push(outcome.result);
    return (await manager.retries("job")).length;
  };
  await expect.poll(noneLeft, { timeout: 60_000 }).toBe(0);
  return made;
}

onSharedStores({ first: ["redis"] }, (create) => {
  it("the wait for the next attempt survives kill -9: another process makes the attempt, once", async () => {
    const options = { ...(await create()), ttl: NEVER };
    // Opened first, as a slow machine takes its time for it: the wait must not be over before the kill.
    await using one = await openJobManager(options);
    await using two = await openJobManager(options);
    const retry = { attempts: 2, delay: 4_000 };
    const child = startChild("runs/failing.child.ts", [JSON.stringify(options), JSON.stringify(retry), "fails"]);
    await begun(child);
    await expect.poll(async () => (await one.retries("job")).length).toBe(1);
    child.process.kill("SIGKILL");
    await child.ended;
    const made = await Promise.all([one, two].map((manager) => attemptsOf(manager)));
    expect(made.flat()).toEqual([2]);
    const [first, second, ...rest] = await history(two);
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ status: "failed", attempt: 1, holder: { pid: child.process.pid } });
    expect(second).toMatchObject({ status: "completed", attempt: 2, chain: first?.id });
    expect(await two.retries()).toEqual([]);
  });

  it("a lock that is kept between attempts keeps every other run away, and kill -9 in the wait frees it", async () => {
    const options = { ...(await create()), ttl: NEVER };
    const retry = { attempts: 2, delay: 600_000, keepLock: true };
    const child = startChild("runs/failing.child.ts", [JSON.stringify(options), JSON.stringify(retry), "fails"]);
    await begun(child);
    await using one = await openJobManager(options);
    await expect.poll(async () => (await one.why("job"))[0]?.code, { timeout: 30_000 }).toBe("kept");
    const refused = one.run("job", () => "other", { wait: 100 });
    await expect(refused).rejects.toMatchObject({ code: "LOCKED", message: expect.stringContaining("kept between") });
    child.process.kill("SIGKILL");
    await child.ended;
    const { record } = await one.run("job", () => "other", { wait: 30_000 });
    expect(record.attempt).toBeUndefined();
    expect(await one.retries("job")).toMatchObject([{ attempt: 2, retry: { keepLock: true } }]);
    expect((await history(one)).map(({ status }) => status)).toEqual(["failed", "completed"]);
    expect(await one.locks()).toEqual([]);
  });

  it("the next attempt begins with the lock that was kept for it, and another process takes over after kill -9", async () => {
    const options = { ...(await create()), ttl: NEVER };
    const retry = { attempts: 100, delay: 50, backoff: "fixed", keepLock: true };
    const child = startChild("runs/failing.child.ts", [JSON.stringify(options), JSON.stringify(retry), "fails"]);
    await begun(child);
    await using one = await openJobManager(options);
    // It waits behind the chain, and gets the lock when the chain has nobody any more.
    const waiting = one.run("job", () => "other", { wait: 60_000 });
    await expect.poll(async () => (await history(one)).length, { timeout: 30_000 }).toBeGreaterThan(3);
    child.process.kill("SIGKILL");
    await child.ended;
    await waiting;
    expect((await attemptsOf(one)).length).toBeLessThanOrEqual(1);
    const all = await history(one);
    const own = all.findIndex(({ attempt }) => attempt === undefined);
    expect(all.slice(0, own).map(({ attempt }) => attempt)).toEqual(all.slice(0, own).map((_, i) => i + 1));
    expect(own).toBeGreaterThan(2);
    const fences = all.map(({ fence = "" }) => fence);
    expect(fences.toSorted(compareVersions)).toEqual(fences);
  });

  it("a cancel of a chain that keeps its lock between attempts ends it, with a record, at once", async () => {
    const options = { ...(await create()), ttl: NEVER };
    const retry = { attempts: 3, delay: 600_000, keepLock: true };
    const child = startChild("runs/failing.child.ts", [JSON.stringify(options), JSON.stringify(retry), "fails"]);
    await begun(child);
    await using one = await openJobManager(options);
    await expect.poll(async () => (await one.why("job"))[0]?.code, { timeout: 30_000 }).toBe("kept");
    const { ended, run } = await one.cancel("job", { reason: "wrong month", wait: 30_000 });
    expect(ended).toBe(true);
    expect(run).toMatchObject({ attempt: 2, status: "cancelled", endedBy: { reason: "wrong month" } });
    expect(await one.retries()).toEqual([]);
    // With two stores, a record is closed before its lock is free.
    await expect.poll(() => one.locks()).toEqual([]);
  });

  it("a run whose process is killed is tried again by another process, if that is wanted", async () => {
    const options = { ...(await create()), ttl: NEVER };
    const retry = { attempts: 2, delay: 0, onLost: true };
    const child = startChild("runs/failing.child.ts", [JSON.stringify(options), JSON.stringify(retry), "hangs"]);
    await begun(child);
    child.process.kill("SIGKILL");
    await child.ended;
    // It finds the dead run as it opens.
    await using manager = await openJobManager(options);
    expect((await manager.takeOver("job", () => "done"))?.record).toMatchObject({ attempt: 2, status: "completed" });
    expect((await history(manager)).map(({ status }) => status)).toEqual(["lost", "completed"]);
  });
});
