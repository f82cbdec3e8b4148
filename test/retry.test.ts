import { type JobManager, openJobManager, type RunRecord } from "@ojm/core";
import { expect, it } from "vitest";
import { type Child, startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

/**
 * A time to live that does not end within a test. Other processes of the same host still see at once that a
 * killed process is gone.
 */
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

/** Makes the pending attempts, until none is left. Resolves to their numbers. */
async function attemptsOf(manager: JobManager): Promise<number[]> {
  const made: number[] = [];
  const noneLeft = async (): Promise<number> => {
    const outcome = await manager.takeOver("job", ({ attempt }) => attempt);
    if (outcome !== undefined) made.push(outcome.result);
    return (await manager.retries("job")).length;
  };
  await expect.poll(noneLeft).toBe(0);
  return made;
}

onSharedStores({ first: ["redis"] }, (create) => {
  it("the wait for the next attempt survives kill -9: another process makes the attempt, once", async () => {
    const options = { ...(await create()), ttl: NEVER };
    // Opened first, because that may take long on a slow machine: the wait must not be over before the kill.
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
