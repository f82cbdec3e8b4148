import { beforeEach, describe, expect, test } from "vitest";
import { type FakeClock, settled } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";
import type { Run, RunRecord } from "./types.js";

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

const records = ({ manager }: ManagerOf, name = "a"): Promise<RunRecord[]> => collect(manager.history({ name }));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

describe.each(STORES)("records and locks $stores", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  test("a run ends at its timeout: its signal fires, its record is closed, and its lock is free", async () => {
    let told: unknown;
    const work = one.manager.run(
      "a",
      (run) =>
        new Promise(() => {
          run.signal.addEventListener("abort", () => {
            told = run.signal.reason;
          });
        }),
      { timeout: 60_000 },
    );
    const error = await clock.until(rejection(work), 60_000);
    expect(error).toMatchObject({ code: "TIMEOUT", job: "a" });
    expect(told).toBe(error);
    const [record] = await records(two);
    expect(record).toMatchObject({ status: "timeout", duration: 60_000, inError: true });
    await two.manager.run("a", () => {}, { wait: 0 });
  });

  test.each(["its timeout passes", "its manager is closed", "it is abandoned"])(
    "the signal of a run fires before anything about its end is sent to the store: %s",
    async (how) => {
      const run = await clock.until(one.manager.start("a", { timeout: 1_000 }));
      const told: boolean[] = [];
      const look = (): undefined => void told.push(run.signal.aborted);
      one.way.fault = (call) =>
        call.kind === "commit" && call.commit.writes.some(({ key }) => key.includes('"a')) ? look() : undefined;
      one.jobsWay.fault = one.way.fault;
      if (how === "its timeout passes") await clock.advance(1_000);
      else if (how === "its manager is closed") await clock.until(one.manager.close());
      else await clock.until(run[Symbol.asyncDispose]());
      expect(told).toContain(true);
      expect(told).not.toContain(false);
      expect(await two.manager.heldLocks()).toEqual([]);
    },
  );

  test.each<[string, (run: Run) => Promise<unknown>]>([
    ["end", (run) => run.end("late")],
    ["fail", (run) => run.fail("late")],
    ["cancel", (run) => run.cancel()],
  ])(
    "a call of %s after the timeout is refused, even in a program that was busy beyond the timeout",
    async (_, over) => {
      const run = await clock.until(one.manager.start("a", { timeout: 1_000 }));
      clock.block(1_000);
      expect(await clock.until(rejection(over(run)))).toMatchObject({ code: "TIMEOUT" });
      await settled();
      const [record] = await records(two);
      expect(record).toMatchObject({ status: "timeout", inError: true });
      expect(record).not.toHaveProperty("result");
      expect(await two.manager.heldLocks()).toEqual([]);
    },
  );

  test("an error that a body throws after its timeout has no effect", async () => {
    const work = one.manager.run(
      "a",
      async () => {
        await sleep(2_000);
        throw new Error("late");
      },
      { timeout: 1_000 },
    );
    expect(await clock.until(rejection(work))).toMatchObject({ code: "TIMEOUT" });
    await clock.advance(5_000);
    expect((await records(two))[0]?.status).toBe("timeout");
  });

  test("a run rejects with TIMEOUT only once its record is closed, though the store is slow", async () => {
    const work = rejection(one.manager.run("a", () => new Promise(() => {}), { timeout: 1_000 }));
    await clock.advance(500);
    one.way.fault = (call) => (call.kind === "commit" ? { type: "slow", ms: 200 } : undefined);
    one.jobsWay.fault = one.way.fault;
    expect(await clock.until(work)).toMatchObject({ code: "TIMEOUT" });
    expect((await records(two))[0]?.status).toBe("timeout");
  });

  test("a cancelled run keeps its lock until its body has stopped", async () => {
    const stop = new AbortController();
    let stopped = false;
    const work = one.manager.run(
      "a",
      async (run) => {
        await new Promise((resolve) => run.signal.addEventListener("abort", resolve));
        await sleep(500);
        stopped = true;
      },
      { signal: stop.signal },
    );
    await clock.advance(100);
    stop.abort(new Error("SIGTERM"));
    await clock.advance(100);
    expect(await rejection(two.manager.run("a", () => {}, { wait: 0 }))).toMatchObject({ code: "LOCKED" });
    const error = await clock.until(rejection(work));
    expect(stopped).toBe(true);
    expect(error).toMatchObject({ code: "CANCELLED" });
    expect((error as Error).message).toContain("SIGTERM");
    expect((await records(two))[0]).toMatchObject({ status: "cancelled", duration: 600 });
  });

  test("a cancelled body that does not stop is ended by the timeout", async () => {
    const stop = new AbortController();
    const work = one.manager.run("a", () => new Promise(() => {}), { signal: stop.signal, timeout: 5_000 });
    await settled();
    stop.abort();
    expect(await clock.until(rejection(work))).toMatchObject({ code: "TIMEOUT" });
    expect((await records(two))[0]?.status).toBe("timeout");
  });

  test("a cancelled run rejects with CANCELLED, even when the store is away", async () => {
    const stop = new AbortController();
    const work = one.manager.run(
      "a",
      async (run) => {
        one.way.fault = () => ({ type: "refused" });
        one.jobsWay.fault = one.way.fault;
        stop.abort();
        run.signal.throwIfAborted();
      },
      { signal: stop.signal },
    );
    const error = await clock.until(rejection(work));
    expect(error).toMatchObject({ code: "CANCELLED" });
    expect(error).not.toHaveProperty("cause");
  });

  test("the disposal of a manager waits until the runs of the manager are closed", async () => {
    await one.manager.start("a");
    one.way.fault = ({ kind }) => (kind === "commit" ? { type: "slow", ms: 500 } : undefined);
    let done = false;
    const leaving = one.manager[Symbol.asyncDispose]().then(() => {
      done = true;
    });
    await clock.advance(400);
    expect(done).toBe(false);
    await clock.until(leaving);
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("a run with a signal that has fired already does not start, and leaves nothing", async () => {
    const error = await rejection(one.manager.run("a", () => expect.unreachable(), { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ code: "CANCELLED", job: "a" });
    expect(await records(one)).toEqual([]);
    expect(await one.manager.heldLocks()).toEqual([]);
  });

  test("a signal ends the waiting of a run for its lock", async () => {
    await one.manager.start("a");
    const stop = new AbortController();
    const work = rejection(two.manager.start("a", { wait: 60_000, signal: stop.signal }));
    await clock.advance(500);
    const reason = new Error("enough");
    stop.abort(reason);
    expect(await clock.until(work, 0)).toMatchObject({ code: "CANCELLED", cause: reason });
    expect((await one.manager.heldLocks())[0]?.waiting).toBe(0);
  });

  test("the signal of a run that was started by hand follows the signal that the caller passed in", async () => {
    const stop = new AbortController();
    const run = await one.manager.start("a", { signal: stop.signal });
    const ended = await one.manager.start("b", { signal: stop.signal });
    await ended.end();
    stop.abort(new Error("enough"));
    expect(run.signal.reason).toMatchObject({ code: "CANCELLED" });
    expect(ended.signal.aborted).toBe(false);
    expect((await records(two))[0]?.status).toBe("running");
    await run.cancel();
    expect((await records(two))[0]?.status).toBe("cancelled");
  });
});

test("more than ten runs with one signal cause no warning of a leak", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  const { manager } = await world.manager();
  const stop = new AbortController();
  const runs = Array.from({ length: 30 }, (_, i) =>
    rejection(
      manager.run(
        `job ${i}`,
        (run) => new Promise((_, reject) => run.signal.addEventListener("abort", () => reject(run.signal.reason))),
        { signal: stop.signal },
      ),
    ),
  );
  await clock.advance(10);
  stop.abort();
  for (const error of await clock.until(Promise.all(runs))) expect(error).toMatchObject({ code: "CANCELLED" });
  await settled();
  process.off("warning", note);
  expect(warnings).toEqual([]);
});
