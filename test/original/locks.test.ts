/**
 * Faults of the original in its locks and records, each on every store that several processes can share.
 * @module-tag full
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  type ChannelConfig,
  ChannelError,
  type Clock,
  type JobManager,
  type JobManagerOptions,
  openChannel,
  openJobManager,
  type RunRecord,
} from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { backend } from "@ojm/simple";
import { temporaryFolder } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { startChild } from "../support/processes.js";
import { onSharedStores } from "../support/stores.js";

const RACERS = 4;
const NAMES = 60;
const EACH: readonly number[] = Array.from({ length: NAMES }, (_, i) => i);

/**
 * The time to live of holders whose leases must end within a test, but not too early: a shorter stall of the
 * machine must not end them.
 */
const TTL = 8_000;

/**
 * The time to live of holders whose leases are renewed within a test: a shorter stall of the machine must not
 * end them.
 */
const LONG_TTL = 6_000;

/**
 * The time to live of holders whose leases must neither end nor be renewed, and that must not sweep anything.
 */
const NEVER = 3_600_000;

/** How a run loses its lock to another one: the change, and the end of its record. */
const losses: readonly (readonly [
  how: string,
  ttl: number,
  lose: (manager: JobManager) => Promise<unknown>,
  status: string,
])[] = [
  ["whose lease expired", TTL, async () => {}, "lost"],
  ["that was unlocked by force", NEVER, (manager) => manager.unlock("job", { reason: "it hangs" }), "cancelled"],
];

/** A clock whose wall time is off. */
function wallClockOff(ms: () => number): Clock {
  return { ...systemClock, now: () => systemClock.now() + ms() };
}

/** Requests the lock of "job" for this long, in ms, and is refused each time. */
async function refusedFor(ms: number, contender: JobManager): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    await expect(contender.start("job", { wait: 0 })).rejects.toMatchObject({ code: "LOCKED" });
    // Without a pause, it would occupy a processor that other tests need.
    await pause(5);
    await pause(50);
  }
}

/** Newest first. */
async function recordsOf(manager: JobManager): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for await (const record of manager.history({ name: "job" })) records.push(record);
  return records;
}

/** The next end of a run that this manager writes fails with an error that a retry cannot fix. */
function failNextEnd({ channels: { jobs, locks } }: JobManager): void {
  const full = (): Promise<never> => {
    for (const channel of [jobs, locks]) Reflect.deleteProperty(channel, "commitWith");
    return Promise.reject(new ChannelError("FULL", "no room for the end of a run"));
  };
  // In a single store, the same step releases the lock.
  Object.assign(locks.joins(jobs as never) ? locks : jobs, { commitWith: full });
}

/**
 * Starts the racers. The result starts the race, kills them, and resolves to the numbers that were won, each
 * as often as it was won.
 */
async function startRace(options: JobManagerOptions): Promise<() => Promise<number[]>> {
  // A racer that loses its session on a busy machine loses its locks to another winner.
  const lasting = JSON.stringify({ ...options, ttl: NEVER });
  const racers = Array.from({ length: RACERS }, () => startChild("racer.child.ts", [lasting, String(NAMES)]));
  await Promise.all(racers.map((racer) => racer.message()));
  return async () => {
    const answers = racers.map((racer) => racer.message<number[]>());
    for (const { process } of racers) process.send("go");
    const wins = await Promise.all(answers);
    for (const { process } of racers) process.kill("SIGKILL");
    await Promise.all(racers.map(({ ended }) => ended));
    return wins.flat().sort((a, b) => a - b);
  };
}

async function staleVersionsLose(config: ChannelConfig): Promise<void> {
  await using channel = await openChannel("values", config);
  const first = await channel.compareAndSet("key", null, 1);
  if (!first.ok) throw new Error("the first one loses to no other");
  expect(await channel.compareAndSet("key", null, 2)).toMatchObject({ ok: false });
  expect(await channel.compareAndSet("key", first.version, 3)).toMatchObject({ ok: true });
  expect(await channel.compareAndSet("key", first.version, 4)).toMatchObject({ ok: false });
  await channel.unset("key");
  expect(await channel.compareAndSet("key", first.version, 5)).toMatchObject({ ok: false });
  expect(await channel.get("key")).toBeUndefined();
}

onSharedStores({}, (create) => {
  it("D5: a run longer than the time to live keeps its lock", async () => {
    const options = { ...(await create()), ttl: LONG_TTL };
    await using holder = await openJobManager(options);
    await using other = await openJobManager(options);
    const run = await holder.start("job");
    await refusedFor(1.5 * LONG_TTL, other);
    run.assertHeld();
    await run.end();
  });

  it.each(losses)("D5: the late end of a run %s frees no other holder's lock", async (_how, ttl, lose, status) => {
    const options = await create();
    const file = join(temporaryFolder(), "go on");
    // A holder that blocks the event loop gets no signal, so the store must refuse its end.
    const late = startChild("../../original/late-end.child.ts", [JSON.stringify({ ...options, ttl }), file]);
    const { fence } = await late.message<{ readonly fence: string }>();
    await using manager = await openJobManager(options);
    await lose(manager);
    const second = await manager.start("job", { wait: 300_000 });
    expect(BigInt(second.fence)).toBeGreaterThan(BigInt(fence));

    writeFileSync(file, "");
    expect(await late.message()).toEqual({ said: "LOST", signalled: false });
    expect(await late.ended, late.output.stderr).toBe(0);
    expect(await manager.heldLocks()).toMatchObject([{ name: "job", fence: second.fence }]);
    second.assertHeld();
    expect((await recordsOf(manager)).map((record) => [record.fence, record.status])).toEqual([
      [second.fence, "running"],
      [fence, status],
    ]);
    await second.end();
  });

  it(`D6: of ${NAMES} names that ${RACERS} processes want at once, each has one winner; so have those of a dead process`, async () => {
    const options = await create();
    const won = await startRace(options);
    // None releases its locks: all are killed, and leave their locks to the next race.
    expect(await won()).toEqual(EACH);
    expect(await (await startRace(options))()).toEqual(EACH);
  }, 300_000);

  it(`D6: of ${NAMES} expired locks that ${RACERS} processes want at once, each has one winner`, async () => {
    const options = await create();
    const holder = startChild("racer.child.ts", [JSON.stringify({ ...options, ttl: TTL }), String(NAMES)]);
    await holder.message();
    await using manager = await openJobManager({ ...options, ttl: NEVER });
    const won = await startRace(options);
    const taken = holder.message<number[]>();
    holder.process.send("go");
    expect(await taken).toHaveLength(NAMES);
    // It is alive but cannot renew: only the end of its time to live frees its locks.
    holder.process.kill("SIGSTOP");
    const { pid } = holder.process;
    const sessions = async (): Promise<number> => {
      let found = 0;
      for await (const { value } of manager.channels.locks.entries({ prefix: ["session"] })) {
        if ("process" in value && value.process.pid === pid) found++;
      }
      return found;
    };
    await expect.poll(sessions, { interval: 50 }).toBe(0);
    expect(await manager.heldLocks()).toHaveLength(NAMES);
    expect(await won()).toEqual(EACH);
  }, 300_000);

  it("D10: of many runs in the same millisecond each has its record", async () => {
    const frozen = systemClock.now();
    await using manager = await openJobManager({ ...(await create()), clock: { ...systemClock, now: () => frozen } });
    const runs = 300;
    for (let i = 0; i < runs; i++) await manager.run("job", () => i);
    const results = new Set<unknown>();
    for await (const { result } of manager.history({ name: "job" })) results.add(result);
    expect(results.size).toBe(runs);
  });

  it("D11: the lock does not leak when the record of a run's end cannot be written", async () => {
    const options = await create();
    await using manager = await openJobManager({ ...options, ttl: TTL });
    await using other = await openJobManager(options);
    const run = await manager.start("job");
    failNextEnd(manager);
    await expect(run.end()).rejects.toMatchObject({ code: "FULL" });
    // The process lives on, and its session with it.
    expect((await other.run("job", () => "next", { wait: 120_000 })).result).toBe("next");
    expect(await other.heldLocks()).toEqual([]);
    expect((await recordsOf(other)).map(({ status }) => status)).toEqual(["completed", "lost"]);
  });

  it("D13: a contender whose wall clock runs two hours ahead steals nothing, however long it tries", async () => {
    const options = { ...(await create()), ttl: LONG_TTL };
    await using holder = await openJobManager(options);
    await using ahead = await openJobManager({ ...options, clock: wallClockOff(() => 7_200_000) });
    const run = await holder.start("job");
    await refusedFor(1.5 * LONG_TTL, ahead);
    run.assertHeld();
    await run.end();
  });

  it("D14: a wall clock that steps back makes no write disappear", async () => {
    let off = 0;
    const options = await create();
    const clock = wallClockOff(() => off);
    await using manager = await openJobManager({ ...options, clock });
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
    await staleVersionsLose(chJobs);
  });
});

it("D11: the lock does not leak when the record of a run's begin cannot be written", async () => {
  const memory = await backend.open({}, { clock: systemClock });
  let full = true;
  const records = new Proxy(memory, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name !== "commit" || !full) return member.bind(target);
      return () => Promise.reject(new ChannelError("FULL", "no room"));
    },
  });
  await using manager = await openJobManager({ chJobs: { backend: records } });
  await expect(manager.start("job")).rejects.toMatchObject({ code: "FULL" });
  expect(await manager.heldLocks()).toEqual([]);
  full = false;
  expect((await manager.run("job", () => "next", { wait: 0 })).result).toBe("next");
});

it("D15: so it is on simple", () => staleVersionsLose({ type: "simple" }));

it("D15: so it is on level", () => staleVersionsLose({ type: "level", args: { path: join(temporaryFolder(), "db") } }));
