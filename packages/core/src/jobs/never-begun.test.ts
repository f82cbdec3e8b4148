import { beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { checkChains } from "../testing/simulation/chains.js";
import type { Fault } from "../testing/stores/faulty-backend.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";
import type { RunOptions, RunRecord } from "./types.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe.each(STORES)("records and locks $stores: starts whose answer was lost", ({ apart }) => {
  let one: ManagerOf;
  let bodies: number;

  beforeEach(async () => {
    one = await world.manager({ apart });
    await one.manager.run("warm up", () => {});
    bodies = 0;
  });

  const records = (): Promise<RunRecord[]> => collect(one.manager.history({ name: "a" }));

  /** The store takes the lock, or the record, but its answer is lost. */
  async function start(lost: "lock" | "record", options: RunOptions = {}): Promise<void> {
    const way = lost === "lock" ? one.way : one.jobsWay;
    way.once(lost === "lock" ? '["lock ' : "startTime", { type: "reply lost" });
    const error = await clock.until(rejection(one.manager.run("a", () => void bodies++, options)));
    expect(error).toMatchObject({ code: "TIMEOUT", outcome: "unknown" });
    await clock.advance(TTL);
  }

  const lost = apart ? (["lock", "record"] as const) : (["lock"] as const);

  test.each(lost)("the record says that the body did not begin, and not that the process died (%s)", async (what) => {
    await start(what);
    expect(bodies).toBe(0);
    expect(await records()).toMatchObject([{ status: "lost", error: expect.stringContaining("did not begin") }]);
    expect(await one.manager.heldLocks()).toEqual([]);
  });

  test.each(lost)("the run of a schedule that is made up for gets the args of the first start (%s)", async (what) => {
    await start(what, { ...scheduled(), args: { day: "2026-11-01" } });
    const made = await clock.until(one.manager.takeOver("a", ({ args }) => args));
    expect(made?.result).toEqual({ day: "2026-11-01" });
    expect((await records()).map(({ args }) => args)).toEqual([{ day: "2026-11-01" }, { day: "2026-11-01" }]);
  });

  const scheduled = (): RunOptions => ({
    claim: { tick: { schedule: "a", at: clock.now() }, ops: () => [], refused: async () => {} },
  });

  test.each(lost)("the run of a schedule is made up for, at once and as often as allowed (%s)", async (what) => {
    for (const attempts of [0, 1, 3]) {
      const options = scheduled();
      const retry = { attempts, delay: 3_600_000, onLost: false };
      await start(what, attempts === 0 ? options : { ...options, retry });
      const [pending] = await one.manager.retries("a");
      // The attempt that never began does not count.
      const allowed = { attempts: Math.max(attempts, 1) + 1 };
      expect(pending).toMatchObject({ attempt: 2, retry: allowed, schedule: "a", tick: options.claim?.tick?.at });
      const body = (): void => {
        bodies++;
        throw new Error("no");
      };
      const ended = rejection(one.manager.takeOver("a", body));
      await clock.advance(1_000);
      expect(bodies).toBe(1);
      expect(await one.manager.retries("a")).toMatchObject(attempts === 3 ? [{ attempt: 3 }] : []);
      if (attempts === 3) await clock.until(one.manager.cancel("a", { reason: "enough" }));
      await clock.until(ended);
      bodies = 0;
    }
  });

  test("a run that another process closes as that of a dead one is made up for all the same, once", async () => {
    const two = await world.manager({ apart });
    one.way.once('["lock ', { type: "reply lost" });
    await clock.until(rejection(one.manager.run("a", () => void bodies++, scheduled())));
    const isAway = (): Fault => ({ type: "refused" });
    [one.way.fault, one.jobsWay.fault] = [isAway, isAway];
    await clock.advance(TTL + 5_000);
    // When the process of the run has its store back, the record is closed but the lock is not removed yet.
    two.way.once('["lock ', { type: "slow", ms: 900 });
    const swept = two.manager.sweep();
    await clock.advance(100);
    const after = await collect(two.manager.history({ name: "a" }));
    expect(after).toMatchObject([{ status: "lost", error: expect.stringContaining("lost the store") }]);
    [one.way.fault, one.jobsWay.fault] = [() => undefined, () => undefined];
    await clock.until(one.manager.close());
    await clock.until(swept);
    await clock.until(two.manager.takeOver("a", () => void bodies++));
    expect(bodies).toBe(1);
    const all = await collect(two.manager.history({ name: "a" }));
    expect(all.map(({ status, attempt = 1 }) => [status, attempt])).toEqual([
      ["completed", 2],
      ["lost", 1],
    ]);
    checkChains(all, await two.manager.retries("a"));
  });

  test("a run whose caller was notified is not tried again behind its back", async () => {
    await start("lock", { retry: { attempts: 2, delay: 1_000, onLost: false } });
    expect(await one.manager.retries("a")).toEqual([]);
  });

  test("a run that began is not taken for one that did not", async () => {
    const run = await one.manager.start("a");
    one.way.once('["lock ', { type: "reply lost" });
    one.jobsWay.once("startTime", { type: "reply lost" });
    await clock.until(run.end("done"));
    expect(await records()).toMatchObject([{ status: "completed" }]);
  });

  /**
   * A run that waits for its lock, and gets the lock, or writes its record, with an answer after half a
   * second.
   */
  async function waiting(
    options: RunOptions,
    slow: "lock" | "record" = "lock",
  ): Promise<{ readonly over: Promise<unknown> }> {
    const two = await world.manager({ apart });
    const before = await two.manager.start("a");
    const run = one.manager.run("a", () => void bodies++, { wait: 60_000, ...options });
    await clock.advance(1_000);
    const way = slow === "lock" ? one.way : one.jobsWay;
    way.once(slow === "lock" ? '["lock ' : "startTime", { type: "slow reply", ms: 500 });
    await clock.until(before.end());
    await clock.advance(200);
    return { over: run.catch((error: unknown) => error) };
  }

  test("a signal that ends only the wait does not end a run whose lock the store has given", async () => {
    const stop = new AbortController();
    const { over } = await waiting({ waitSignal: stop.signal });
    stop.abort();
    await clock.until(over);
    expect(bodies).toBe(1);
    expect(await records()).toMatchObject([{ status: "completed" }, { status: "completed" }]);
  });

  test("a signal that ends only the wait ends it, and later nothing more", async () => {
    const stop = new AbortController();
    const before = await one.manager.start("a");
    const options = { wait: 60_000, waitSignal: stop.signal, signal: new AbortController().signal };
    const run = rejection(one.manager.run("a", () => void bodies++, options));
    await clock.advance(1_000);
    stop.abort(new Error("not wanted any more"));
    expect(await clock.until(run)).toMatchObject({ code: "CANCELLED", cause: { message: "not wanted any more" } });
    expect(await clock.until(rejection(one.manager.run("a", () => {}, options)))).toMatchObject({ code: "CANCELLED" });
    await clock.until(before.end());
    expect(await records()).toHaveLength(1);
    const later = new AbortController();
    await one.manager.run(
      "a",
      (run) => {
        later.abort();
        expect(run.signal.aborted).toBe(false);
      },
      { waitSignal: later.signal },
    );
  });

  test.each(lost)("the run of a schedule that begins while its manager closes is made up for (%s)", async (slow) => {
    const { claim } = scheduled();
    const { over } = await waiting(claim === undefined ? {} : { claim }, slow);
    await clock.until(one.manager.close());
    expect(await clock.until(over)).toMatchObject({ code: "CLOSED" });
    const two = await world.manager({ apart });
    const [ended] = await collect(two.manager.history({ name: "a" }));
    expect(ended).toMatchObject({ error: expect.stringContaining("did not begin") });
    // Either the run was open and is handed over, or its start had no answer.
    const { handedOver } = ended ?? {};
    expect(ended?.status).toBe(handedOver === true ? "skipped" : "lost");
    const attempt = handedOver === true ? 1 : 2;
    expect(await two.manager.retries("a")).toMatchObject([{ attempt, tick: claim?.tick?.at }]);
    await clock.until(two.manager.takeOver("a", () => void bodies++));
    expect(bodies).toBe(1);
  });
});
