import { setTimeout as pause } from "node:timers/promises";
import { type Clock, JobManager, openChannel, systemClock } from "@ojm/core";
import { expect, it } from "vitest";
import { startChild } from "../support/processes.js";
import { onSharedStores } from "../support/stores.js";

/* Faults of the original in its locks and records, each on every store that several processes can share. */

const RACERS = 8;
const NAMES = 150;

/** A clock whose wall time is off. */
function wallClockOff(ms: () => number): Clock {
  return { ...systemClock, now: () => systemClock.now() + ms() };
}

onSharedStores((create) => {
  it("D5: a run longer than the time to live keeps its lock, and its end frees nobody else's", async () => {
    const options = { ...(await create()), ttl: 400 };
    await using holder = await JobManager.init(options);
    await using other = await JobManager.init(options);
    const run = await holder.start("job");
    const end = performance.now() + 1_500;
    while (performance.now() < end) {
      await expect(other.start("job", { wait: 0 })).rejects.toMatchObject({ code: "LOCKED" });
      await pause(50);
    }
    await run.end();
    const next = await other.start("job", { wait: 0 });
    await expect(run.end()).rejects.toThrow();
    expect((await holder.locks()).map(({ name }) => name)).toEqual(["job"]);
    await next.end();
  });

  it(`D6: of ${NAMES} names that ${RACERS} processes want at once, each has one winner; so have those of a dead process`, async () => {
    const options = await create();
    const race = async (): Promise<number[]> => {
      const racers = Array.from({ length: RACERS }, () =>
        startChild("racer.child.ts", [JSON.stringify(options), String(NAMES)]),
      );
      await Promise.all(racers.map((racer) => racer.message()));
      const answers = racers.map((racer) => racer.message<number[]>());
      for (const { process } of racers) process.send("go");
      const wins = await Promise.all(answers);
      // None gives back what it won: all are killed, and leave their locks to the next race.
      for (const { process } of racers) process.kill("SIGKILL");
      await Promise.all(racers.map(({ ended }) => ended));
      return wins.flat().sort((a, b) => a - b);
    };
    const each = Array.from({ length: NAMES }, (_, i) => i);
    expect(await race()).toEqual(each);
    expect(await race()).toEqual(each);
  }, 300_000);

  it("D10: of many runs in the same millisecond each has its record", async () => {
    const frozen = systemClock.now();
    await using manager = await JobManager.init({ ...(await create()), clock: { ...systemClock, now: () => frozen } });
    const runs = 300;
    for (let i = 0; i < runs; i++) await manager.run("job", () => i);
    const results = new Set<unknown>();
    for await (const { result } of manager.history({ name: "job" })) results.add(result);
    expect(results.size).toBe(runs);
  });

  it("D13: a contender whose wall clock runs two hours ahead steals nothing", async () => {
    const options = { ...(await create()), ttl: 2_000 };
    await using holder = await JobManager.init(options);
    await using ahead = await JobManager.init({ ...options, clock: wallClockOff(() => 7_200_000) });
    const run = await holder.start("job");
    await expect(ahead.start("job", { wait: 0 })).rejects.toMatchObject({ code: "LOCKED" });
    run.assertHeld();
    await run.end();
  });

  it("D14: a wall clock that steps back makes no write disappear", async () => {
    let off = 0;
    const options = await create();
    const clock = wallClockOff(() => off);
    await using manager = await JobManager.init({ ...options, clock });
    await using channel = await openChannel("values", { ...options.chJobs, clock });
    await channel.set("key", "before");
    await manager.run("job", () => "before");
    off = -3_600_000;
    await channel.set("key", "after");
    await manager.run("job", () => "after");
    expect(await channel.get("key")).toBe("after");
    const results: unknown[] = [];
    for await (const { result } of manager.history({ name: "job" })) results.push(result);
    expect(results.sort()).toEqual(["after", "before"]);
  });

  it("D15: compare-and-set is there, and a stale version loses, against a deleted key too", async () => {
    const { chJobs = {} } = await create();
    await using channel = await openChannel("values", chJobs);
    const first = await channel.compareAndSet("key", null, 1);
    if (!first.ok) throw new Error("the first one loses to nobody");
    expect(await channel.compareAndSet("key", null, 2)).toMatchObject({ ok: false });
    expect(await channel.compareAndSet("key", first.version, 3)).toMatchObject({ ok: true });
    expect(await channel.compareAndSet("key", first.version, 4)).toMatchObject({ ok: false });
    await channel.unset("key");
    expect(await channel.compareAndSet("key", first.version, 5)).toMatchObject({ ok: false });
    expect(await channel.get("key")).toBeUndefined();
  });
});
