import { beforeEach, describe, expect, test } from "vitest";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";
import { openJobManager } from "./manager.js";
import type { JobManagerOptions, RunOptions } from "./types.js";

const body = (): void => expect.unreachable();

describe("wrong options of a job manager", () => {
  test.each<[unknown, string]>([
    [{ chLock: { type: "simple" } }, 'a job manager has no option "chLock". Did you mean "chLocks"?'],
    [{ chLocks: { typ: "simple" } }, '"chLocks" of a job manager has no option "typ". Did you mean "type"?'],
    [{ tttl: 5 }, 'no option "tttl". Did you mean "ttl"?'],
    [{ chLocks: "sqlite" }, 'the options of "chLocks" of a job manager must be a map, not the text "sqlite"'],
    [{ chLocks: null }, 'the options of "chLocks" of a job manager must be a map, not null'],
    [{ heartbeatThread: "no" }, 'heartbeatThread must be true or false, not the text "no"'],
    [5, "the options of a job manager must be a map, not 5"],
    [null, "the options of a job manager must be a map, not null"],
    [[], "must be a map"],
  ])("a job manager is not opened with wrong options: %j", async (options, text) => {
    const error = await rejection(openJobManager(options as JobManagerOptions));
    expect(error).toMatchObject({
      name: "ChannelError",
      code: "INVALID_CONFIG",
      message: expect.stringContaining(text),
    });
  });
});

describe("wrong options of a run", () => {
  let one: ManagerOf;

  beforeEach(async () => {
    one = await new World().manager();
  });

  const nothingIsTaken = async (): Promise<void> => {
    expect(await one.manager.heldLocks()).toEqual([]);
    expect(await collect(one.manager.history())).toEqual([]);
  };

  test.each<[unknown, string]>([
    [{ timout: 5 }, 'a run of "a" has no option "timout". Did you mean "timeout"?'],
    [{ records: 5 }, "once, retry, signal, waitSignal."],
    [{ signal: { aborted: false } }, 'signal of "a" must be an AbortSignal'],
    [{ signal: 5 }, 'signal of "a" must be an AbortSignal'],
    [{ waitSignal: 5 }, 'waitSignal of "a" must be an AbortSignal'],
    [{ claim: { tick: { schedule: 5, at: 1 }, ops() {}, refused() {} } }, 'claim of "a" must have'],
    [{ trigger: 5 }, 'trigger of "a" must be a text of at most 1000 characters'],
    [{ trigger: "x".repeat(1_001) }, 'trigger of "a" must be a text of at most 1000 characters'],
    [
      { wait: "1" },
      'wait of "a" must be a duration, in ms or as a text with its unit such as "90s" or "10m", not the text "1"',
    ],
    [null, 'the options of a run of "a" must be a map, not null'],
  ])("a run with wrong options does not begin, and takes no lock: %j", async (options, text) => {
    const error = await rejection(one.manager.run("a", body, options as RunOptions));
    expect(error).toMatchObject({ name: "RunError", code: "INVALID", message: expect.stringContaining(text) });
    await nothingIsTaken();
  });

  test("a run without a body does not begin, and takes no lock", async () => {
    const error = await rejection(one.manager.run("a", 5 as never));
    expect(error).toMatchObject({ code: "INVALID", message: 'the body of "a" must be a function' });
    await nothingIsTaken();
  });

  test("a lock with a signal that is not an AbortSignal is not taken", async () => {
    const error = await rejection(one.manager.lock("a", { signal: { aborted: false } as AbortSignal }));
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
    await nothingIsTaken();
  });
});

test("unlock without a reason and prune without an age are refused as INVALID", async () => {
  const { manager } = await new World().manager();
  expect(await rejection(manager.unlock("a", undefined as never))).toMatchObject({ code: "INVALID" });
  expect(await rejection(manager.prune(undefined as never))).toMatchObject({ code: "INVALID" });
});

test('a job of the prefix "ojm " is rejected, but for those that ojm runs itself', async () => {
  const { manager } = await new World().manager();
  for (const name of ["ojm report", "ojm ", "ojm alerts 2"])
    expect(await rejection(manager.run(name, () => {}))).toMatchObject({
      code: "INVALID",
      message: expect.stringMatching(/begins with "ojm "/),
    });
  for (const name of ["ojm alerts", "ojm", "ojmreport", "my ojm job"]) await manager.run(name, () => {});
});

describe("durations as texts", () => {
  test("a manager, its runs and its calls take texts, and the store has ms", async () => {
    const world = new World();
    const { manager } = await world.manager({
      ttl: "20s",
      retention: { olderThan: "30d", keep: 5 },
      logBudget: { ttl: "2h", interval: "1s" },
    });
    const turns = await manager.channelOf("oJobManager-turns");
    await world.clock.advance(0);
    expect(await turns.get("retention")).toEqual({ olderThan: 30 * 86_400_000, keep: 5 });
    const { record } = await manager.run("a", () => {}, {
      timeout: "2h",
      wait: "1s",
      retry: { attempts: 2, delay: "90s", maxDelay: "1d" },
      once: { per: "1h" },
    });
    expect(record).toMatchObject({ timeout: 7_200_000, retry: { delay: 90_000, maxDelay: 86_400_000 } });
    const once = await manager.channels.locks.entry(["once", "a", "per 3600000"] as never);
    expect(once?.expiresIn).toBe(3_240_000);
    await manager.run("b", () => {}, { once: { key: "k", keep: "2d" } });
    const lease = await manager.lock("c", { timeout: "10m", wait: "1s" });
    await world.clock.advance(599_000);
    expect(lease.signal.aborted).toBe(false);
    await world.clock.advance(1_000);
    expect(lease.signal.reason).toMatchObject({ code: "TIMEOUT" });
    const channel = await manager.channel("d");
    await channel.set("x", 1, { ttl: "1m" });
    await channel.commit([{ put: "y", value: 1, ttl: "1.5s" }]);
    expect((await channel.entry("x"))?.expiresIn).toBe(60_000);
    expect((await channel.entry("y"))?.expiresIn).toBe(1_500);
    await world.clock.advance(3_600_000);
    expect(await manager.prune({ olderThan: "1h" })).toMatchObject({ removed: 2 });
    const held = await manager.hold("e", { reason: "maintenance", wait: "1s" });
    expect(held.note).toMatchObject({ hold: { reason: "maintenance" } });
    const run = await manager.start("f");
    const began = world.clock.monotonic();
    const waited = world.clock.until(manager.wait(run, { timeout: "3s" }));
    expect([(await waited)?.status, world.clock.monotonic() - began]).toEqual(["running", 3_000]);
    const cancelled = world.clock.until(manager.cancel("f", { reason: "enough", wait: "2s" }));
    expect([(await cancelled).ended, world.clock.monotonic() - began]).toEqual([false, 5_000]);
    await world.clock.until(manager.close({ grace: "1s" }));
    expect(world.clock.monotonic() - began).toBeLessThan(7_000);
  });

  test.each<[object, string]>([
    [{ ttl: "15" }, "ttl must be a duration above 0"],
    [{ ttl: 0 }, "ttl must be a duration above 0"],
    [{ retention: { olderThan: "0s" } }, "retention.olderThan must be a duration from 1 ms"],
    [{ logBudget: { interval: "soon" } }, "logBudget.interval must be a duration above 0"],
  ])("a manager is not opened with %j", async (options, text) => {
    const error = await rejection(openJobManager(options));
    expect(error).toMatchObject({ code: "INVALID_CONFIG", message: expect.stringContaining(text) });
  });

  test("wait and nextAttempt refuse a timeout that is not a duration", async () => {
    const { manager } = await new World().manager();
    const { record } = await manager.run("a", () => {});
    for (const call of [manager.wait(record, { timeout: "1" }), manager.nextAttempt(record, { timeout: -1 })])
      expect(await rejection(call)).toMatchObject({
        code: "INVALID",
        message: expect.stringMatching(/^timeout must be a duration/),
      });
  });
});
