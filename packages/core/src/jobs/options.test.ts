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
    expect(await one.manager.locks()).toEqual([]);
    expect(await collect(one.manager.history())).toEqual([]);
  };

  test.each<[unknown, string]>([
    [{ timout: 5 }, 'a run of "a" has no option "timout". Did you mean "timeout"?'],
    [{ signal: { aborted: false } }, 'signal of "a" must be an AbortSignal'],
    [{ signal: 5 }, 'signal of "a" must be an AbortSignal'],
    [{ waitSignal: 5 }, 'waitSignal of "a" must be an AbortSignal'],
    [{ claim: { tick: { schedule: 5, at: 1 }, ops() {}, refused() {} } }, 'claim of "a" must have'],
    [{ trigger: 5 }, 'trigger of "a" must be a text of at most 1000 characters'],
    [{ trigger: "x".repeat(1_001) }, 'trigger of "a" must be a text of at most 1000 characters'],
    [{ wait: "1" }, 'wait of "a" must be a number of ms, 0 or more, not the text "1"'],
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

  test("a lock with a signal that is no AbortSignal is not taken", async () => {
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
