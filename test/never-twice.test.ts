import { openJobManager, type RunRecord } from "@ojm/core";
import { expect, it } from "vitest";
import { type Child, startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";
import { type Report, Witness } from "./support/witness.js";

/**
 * How many processes run one name, and how often each: few in `npm test`, and many. At night, it runs for
 * longer.
 */
const crowds: readonly (readonly [processes: number, runs: number, tags: string[]])[] = [
  [6, 40, []],
  [16, Number(process.env["OJM_CROWD_RUNS"] ?? 50), ["full"]],
];

/** How many calls wait at once in each of three processes. */
const CROWD = 100;

const WAITERS = 6;
/** The waiters that are killed while they wait, including the first in line. */
const KILLED = [0, 3];

/**
 * The waiters for a lock, as recorded in the channel of the locks. The id of a session begins with the pid of
 * its process.
 */
interface QueueEntry {
  readonly waiting: readonly { readonly session: string }[];
}

onSharedStores({}, (create) => {
  for (const [processes, runs, tags] of crowds) {
    it(`of ${processes} processes × ${runs} runs of one name no two run at once, and each run leaves its record`, {
      timeout: 300_000,
      tags,
    }, async () => {
      const options = await create();
      const witness = new Witness();
      const children = Array.from({ length: processes }, () =>
        startChild("contender.child.ts", [JSON.stringify(options), "job", String(runs)]),
      );
      for (const child of children) witness.observe(child.process);
      const codes = await Promise.all(children.map(({ ended }) => ended));

      expect(children.map(({ output }) => output.stderr).join("")).toBe("");
      expect(codes).toEqual(Array(processes).fill(0));
      expect(witness.violations).toEqual([]);
      expect(witness.entered).toBe(processes * runs);

      await using manager = await openJobManager(options);
      const records: RunRecord[] = [];
      for await (const record of manager.history({ name: "job" })) records.push(record);
      expect(records).toHaveLength(processes * runs);
      expect(records.filter(({ status }) => status !== "completed")).toEqual([]);
      expect(new Set(records.map(({ fence }) => fence)).size).toBe(processes * runs);
      expect(await manager.heldLocks()).toEqual([]);
      expect(await manager.openRecords()).toEqual([]);
    });
  }
});

onSharedStores({ first: ["redis"] }, (create) => {
  it(`${CROWD} waiters in each of three processes get the lock one after the other, even when one process is killed`, async () => {
    const options = await create();
    const witness = new Witness();
    await using manager = await openJobManager(options);
    const holder = await manager.start("job");
    const children = Array.from({ length: 3 }, () =>
      startChild("contender.child.ts", [JSON.stringify(options), "job", String(CROWD), "at once"]),
    );
    for (const child of children) witness.observe(child.process);
    const waiting = async (): Promise<number> =>
      ((await manager.channels.locks.get(["lock", "job", "queue"])) as QueueEntry | undefined)?.waiting.length ?? 0;
    await expect.poll(waiting).toBe(3 * CROWD);
    const [killed, ...others] = children;
    killed?.process.kill("SIGKILL");
    await killed?.ended;
    await holder.end();

    expect(await Promise.all(others.map(({ ended }) => ended)), others[0]?.output.stderr).toEqual([0, 0]);
    expect(witness.violations).toEqual([]);
    expect(witness.entered).toBe(2 * CROWD);
    // Dead tickets at the end of the queue stay until a process requests the lock.
    await manager.run("job", () => undefined, { wait: 0 });
    expect(await waiting()).toBe(0);
    expect(await manager.heldLocks()).toEqual([]);
  }, 300_000);

  it(`${WAITERS} waiting processes get the lock in the order of their arrival, and killed ones are skipped`, async () => {
    // Only a check of the process can show that a waiter is dead, so that no waiter loses its place on a
    // stalling machine.
    const options = { ...(await create()), ttl: 3_600_000 };
    await using manager = await openJobManager(options);
    const { locks } = manager.channels;
    const witness = new Witness();
    const holder = await manager.start("job");
    const waiters: Child[] = [];
    const order: number[] = [];
    const pids = async (): Promise<number[]> => {
      const queue = (await locks.get(["lock", "job", "queue"])) as QueueEntry | undefined;
      return (queue?.waiting ?? []).map(({ session }) => Number.parseInt(session, 10));
    };
    for (let i = 0; i < WAITERS; i++) {
      const waiter = startChild("contender.child.ts", [JSON.stringify(options), "job", "1"]);
      waiters.push(waiter);
      witness.observe(waiter.process);
      waiter.process.on("message", ({ type }: Partial<Report>) => {
        if (type === "enter") order.push(i);
      });
      await expect.poll(pids).toEqual(waiters.map(({ process }) => process.pid));
    }
    for (const i of KILLED) {
      waiters[i]?.process.kill("SIGKILL");
      await waiters[i]?.ended;
    }
    await holder.end();

    const alive = [...waiters.keys()].filter((i) => !KILLED.includes(i));
    for (const i of alive) expect(await waiters[i]?.ended, waiters[i]?.output.stderr).toBe(0);
    expect(order).toEqual(alive);
    expect(witness.violations).toEqual([]);
    expect(await pids()).toEqual([]);
    expect(await manager.heldLocks()).toEqual([]);
  });
});
