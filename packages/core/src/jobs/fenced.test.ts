import { beforeEach, describe, expect, test } from "vitest";
import type { Channel } from "../channel/channel.js";
import { openChannel } from "../channel/open.js";
import { lockKey } from "../locks/entries/schema.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import { type LocksOf, World } from "../testing/world.js";
import { openJobManager } from "./manager.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;
let one: LocksOf;
let two: LocksOf;
let data: Channel<string>;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  // No watch reports anything: only the store knows better.
  one = await world.locks({ way: await world.way({ watch: false }) });
  two = await world.locks();
  data = await openChannel<string>("data", { backend: one.way, clock });
});

describe("fenced commits", () => {
  test("a fenced commit is applied while the lock is held, and reports its own failed checks with their keys", async () => {
    const lease = await one.locks.acquire("a");
    const first = await lease.fenced(data, [
      { check: "x", version: null },
      { put: "x", value: "1" },
    ]);
    expect(first.ok).toBe(true);
    const second = await lease.fenced(data, [
      { put: "y", value: "2" },
      { check: "x", version: null },
    ]);
    expect(second).toMatchObject({
      ok: false,
      failed: [{ channel: data.name, key: "x", current: { key: "x", value: "1" } }],
    });
    expect(await data.get("y")).toBeUndefined();
    expect(lease.held).toBe(true);
    expect((await one.channel.entry(lockKey("a")))?.version).toBe(lease.fence);
  });

  test.each([
    ["was unlocked by force", async () => void (await two.locks.forceUnlock("a", "it hangs"))],
    [
      "has another holder by now",
      async () => {
        await two.locks.forceUnlock("a", "it hangs");
        await two.locks.acquire("a");
      },
    ],
  ])("a fenced commit is refused by the store when the lock %s, before the holder knows", async (_, harm) => {
    const lease = await one.locks.acquire("a");
    await harm();
    expect(lease.held).toBe(true);
    expect(await rejection(lease.fenced(data, [{ put: "x", value: "late" }]))).toMatchObject({ code: "LOST" });
    expect(await data.get("x")).toBeUndefined();
    expect(lease.signal.aborted).toBe(true);
  });

  test("a fenced commit that is still under way when the lock passes on is refused", async () => {
    const lease = await one.locks.acquire("a");
    one.way.once("data", { type: "slow", ms: 500 });
    const late = rejection(lease.fenced(data, [{ put: "x", value: "late" }]));
    await clock.advance(100);
    await two.locks.forceUnlock("a", "it hangs");
    expect(await clock.until(late)).toMatchObject({ code: "LOST" });
    expect(await data.get("x")).toBeUndefined();
  });

  test.each([
    ["at its timeout", "TIMEOUT", () => clock.block(60_000)],
    ["at the end of its session", "LOST", () => clock.block(TTL)],
  ])(
    "a fenced commit is refused without a call %s, even in a program that had no time to notice",
    async (_, code, pass) => {
      const lease = await one.locks.acquire("a", { timeout: 60_000 });
      pass();
      const commits = one.way.commits.length;
      expect(await rejection(lease.fenced(data, [{ put: "x", value: "late" }]))).toMatchObject({ code });
      expect(one.way.commits.length).toBe(commits);
    },
  );

  test("a fenced commit is refused after the release of its lease", async () => {
    const lease = await one.locks.acquire("a");
    await lease.release();
    expect(await rejection(lease.fenced(data, [{ put: "x", value: "late" }]))).toMatchObject({ code: "RELEASED" });
  });

  test("a fenced commit on a channel of another store is refused, and the error says what to do", async () => {
    await using other = await openChannel<string>("elsewhere", { type: "simple" });
    const lease = await one.locks.acquire("a");
    const error = await rejection(lease.fenced(other, [{ put: "x", value: "1" }]));
    expect(error).toMatchObject({ code: "NOT_SUPPORTED" });
    expect((error as Error).message).toContain(`Pass the fence (${lease.fence}) with`);
    expect((error as Error).message).toContain('"elsewhere"');
    expect(await other.size()).toBe(0);
    expect(lease.held).toBe(true);
  });
});

describe("fenced commits of runs", () => {
  test("a run writes fenced, and its fenced commit is refused with a RunError once the run is over", async () => {
    const way = await world.way({ watch: false });
    await using manager = await openJobManager({ chJobs: { backend: way }, chLocks: { backend: way }, clock });
    const reports = await openChannel<string>("data", { backend: way, clock });
    const run = await manager.start("job");
    expect((await run.fenced(reports, [{ put: "x", value: "in time" }])).ok).toBe(true);
    const { manager: other } = await world.manager();
    await other.unlock("job", { reason: "it hangs" });
    expect(await rejection(run.fenced(reports, [{ put: "x", value: "late" }]))).toMatchObject({
      name: "RunError",
      code: "LOST",
    });
    expect(run.signal.aborted).toBe(true);
    const next = await manager.start("job");
    await next.end();
    const ended = await rejection(next.fenced(reports, [{ put: "x", value: "late" }]));
    expect(ended).toMatchObject({ name: "RunError", code: "ENDED" });
    expect(await reports.get("x")).toBe("in time");
    await other.close();
  });
});
