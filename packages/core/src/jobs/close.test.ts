import { beforeEach, describe, expect, test } from "vitest";
import { type FakeClock, settled } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { type ManagerOf, STORES, World } from "../testing/world.js";
import { isRunError } from "./errors.js";
import type { Run, RunRecord } from "./types.js";

const TTL = 15_000;
const GRACE = 10_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

/** Cleans up for `ms` after its signal fired, and then throws the reason. */
const cleaning =
  (ms: number, onEnd: () => void = () => {}) =>
  async (run: Run): Promise<void> => {
    await new Promise((resolve) => run.signal.addEventListener("abort", resolve));
    await sleep(ms);
    onEnd();
    throw run.signal.reason;
  };

/** Ignores its signal for `ms`, and completes. */
const deaf =
  (ms: number) =>
  async (run: Run): Promise<string> => {
    await sleep(ms);
    return run.id;
  };

const records = ({ manager }: ManagerOf, name = "a"): Promise<RunRecord[]> => collect(manager.history({ name }));

describe.each(STORES)("records and locks $stores: a close", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  test("keeps the lock of a job function that cleans up: the next one begins when it has ended", async () => {
    const events: string[] = [];
    const first = one.manager.run(
      "a",
      cleaning(8_000, () => events.push("first ends")),
    );
    first.catch(() => {});
    await clock.advance(100);
    const closed = one.manager.close();
    const second = two.manager.run("a", () => void events.push("second begins"), { wait: 60_000 });
    await clock.advance(7_000);
    expect(events).toEqual([]);
    await clock.until(closed);
    await clock.until(second);
    expect(events).toEqual(["first ends", "second begins"]);
    expect(await clock.until(rejection(first))).toMatchObject({ name: "RunError", code: "CLOSING" });
    const [, closedRun] = await records(two);
    expect(closedRun).toMatchObject({ status: "cancelled", error: expect.stringContaining("its process closed") });
  });

  test("records the true end of a run that ends within the grace", async () => {
    const done = one.manager.run("done", deaf(5_000));
    const failed = one.manager.start("failed");
    await clock.advance(100);
    const run = await clock.until(failed);
    run.signal.addEventListener("abort", () => void run.fail(new Error("no luck")));
    await clock.until(one.manager.close());
    expect(await done).toMatchObject({ record: { status: "completed" } });
    expect((await records(two, "failed"))[0]).toMatchObject({ status: "failed", error: "no luck" });
  });

  test("closes as lost what is still running after the grace, and no sooner", async () => {
    const began = clock.monotonic();
    const stuck = one.manager.run("a", deaf(60_000));
    const other = one.manager.run("b", deaf(1_000));
    stuck.catch(() => {});
    await clock.advance(0);
    const closed = one.manager.close();
    await clock.advance(GRACE - 100);
    expect((await two.manager.heldLocks()).map(({ name }) => name)).toEqual(["a"]);
    await clock.until(closed);
    expect(clock.monotonic() - began).toBeLessThan(GRACE + 1_000);
    expect(await clock.until(rejection(stuck))).toMatchObject({ code: "LOST" });
    await other;
    expect(await records(two)).toMatchObject([
      { status: "lost", error: expect.stringContaining("its process closed before the run ended") },
    ]);
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("renews its session until the last job function has returned", async () => {
    const closing = one.manager.close.bind(one.manager);
    const first = one.manager.run("a", cleaning(3 * TTL));
    first.catch(() => {});
    await clock.advance(100);
    const closed = closing({ grace: 4 * TTL });
    await clock.advance(2.5 * TTL);
    expect(await clock.until(rejection(two.manager.run("a", () => {}, { wait: 0 })))).toMatchObject({ code: "LOCKED" });
    await clock.until(closed);
    expect((await records(two))[0]).toMatchObject({ status: "cancelled" });
  });

  test("a second call joins the first, and may shorten its grace, not lengthen it", async () => {
    const stuck = one.manager.run("a", deaf(60_000));
    stuck.catch(() => {});
    await clock.advance(0);
    const began = clock.monotonic();
    const closed = [one.manager.close({ grace: 5_000 }), one.manager.close({ grace: 20_000 })];
    await clock.advance(1_000);
    closed.push(one.manager.close({ grace: 1_000 }));
    await clock.until(Promise.all(closed));
    const took = clock.monotonic() - began;
    expect(took).toBeGreaterThanOrEqual(2_000);
    expect(took).toBeLessThan(3_000);
  });

  test("with a grace of 0, job functions have their signal, and no time", async () => {
    const began = clock.monotonic();
    const first = one.manager.run("a", cleaning(1_000));
    first.catch(() => {});
    await clock.advance(0);
    await clock.until(one.manager.close({ grace: 0 }));
    expect(clock.monotonic() - began).toBeLessThan(100);
    expect((await records(two))[0]).toMatchObject({ status: "lost" });
  });

  test("refuses a grace that is not a duration", async () => {
    for (const grace of [-1, Number.NaN, "1" as never])
      expect(await rejection(one.manager.close({ grace }))).toMatchObject({ code: "INVALID_ARGUMENT" });
    await one.manager.run("a", () => {});
  });

  test("starts nothing any more, and rejects those that wait for a lock at once", async () => {
    const held = await clock.until(two.manager.start("b"));
    const waits = one.manager.run("b", () => {}, { wait: 60_000 });
    waits.catch(() => {});
    const first = one.manager.run("a", cleaning(5_000));
    first.catch(() => {});
    await clock.advance(100);
    const began = clock.monotonic();
    const closed = one.manager.close();
    expect(await clock.until(rejection(waits))).toMatchObject({ code: "CLOSED" });
    const started: string[] = [];
    const body = (run: Run): void => void started.push(run.name);
    const retry = { attempts: 3 };
    for (const start of [
      () => one.manager.run("c", body),
      () => one.manager.run("c", body, { retry }),
      () => one.manager.start("c"),
      () => one.manager.lock("c"),
      () => one.manager.takeOver("c", body),
    ])
      expect(await clock.until(rejection(start()))).toMatchObject({ code: "CLOSED" });
    expect(clock.monotonic() - began).toBeLessThan(1_000);
    await clock.until(closed);
    expect(started).toEqual([]);
    await held.end();
  });

  test("an attempt that waits in a closing process is there for another one at once", async () => {
    const retry = { attempts: 3, delay: 2_000, backoff: "fixed" } as const;
    const attempts: string[] = [];
    const failing = one.manager.run(
      "a",
      (run) => {
        attempts.push(`one ${run.attempt}`);
        throw new Error("no luck");
      },
      { retry },
    );
    const busy = one.manager.run("b", cleaning(8_000));
    for (const work of [failing, busy]) work.catch(() => {});
    await clock.advance(100);
    const closed = one.manager.close();
    await clock.advance(50);
    expect(await two.manager.orphanedRetries("a")).toMatchObject([{ attempt: 2 }]);
    const taken = two.manager.takeOver("a", (run) => void attempts.push(`two ${run.attempt}`));
    await clock.advance(3_000);
    expect(attempts).toEqual(["one 1", "two 2"]);
    await clock.until(taken);
    await clock.until(closed);
    expect(await clock.until(rejection(failing))).toBeInstanceOf(Error);
  });

  test("a run with retry that the close interrupts is made again as the same attempt", async () => {
    const retry = { attempts: 2, delay: 60_000 };
    const first = one.manager.run("a", cleaning(1_500), { retry });
    first.catch(() => {});
    await clock.advance(100);
    const closed = one.manager.close();
    await clock.until(closed);
    expect(isRunError(await rejection(first))).toBe(true);
    expect(await two.manager.orphanedRetries("a")).toMatchObject([{ attempt: 1, due: expect.any(Number) }]);
    const began = clock.monotonic();
    const made = await clock.until(two.manager.takeOver("a", (run) => run.attempt));
    expect(clock.monotonic() - began).toBeLessThan(100);
    expect(made?.result).toBe(1);
    const [second, handed] = await records(two);
    expect(second).toMatchObject({ status: "completed", attempt: 1, chain: handed?.id });
    expect(handed).toMatchObject({ status: "skipped", handedOver: true, inError: false });
    expect(await collect(two.manager.failedRuns())).toEqual([]);
  });

  test("a run that is cancelled while its process closes is cancelled, and not made again", async () => {
    const first = one.manager.run("a", cleaning(3_000), { retry: { attempts: 3 } });
    first.catch(() => {});
    await clock.advance(100);
    const closed = one.manager.close();
    await clock.advance(100);
    const cancelled = await clock.until(two.manager.cancel("a", { reason: "wrong month" }));
    expect(cancelled).toMatchObject({ ended: true, run: { status: "cancelled", endedBy: { reason: "wrong month" } } });
    await clock.until(closed);
    expect(await two.manager.retries("a")).toEqual([]);
  });

  test("settles within a bound if the store goes away, and the next holder begins after the deadline", async () => {
    const signals: string[] = [];
    const first = one.manager.run("a", async (run) => {
      run.signal.addEventListener("abort", () => signals.push((run.signal.reason as { code: string }).code));
      await sleep(20 * TTL);
    });
    const over = rejection(first);
    await clock.advance(100);
    const closed = one.manager.close({ grace: 10 * TTL });
    await clock.advance(1_000);
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    const began = clock.monotonic();
    await clock.until(closed);
    expect(clock.monotonic() - began).toBeLessThan(3 * TTL);
    expect(signals).toEqual(["CLOSING"]);
    expect(await over).toMatchObject({ code: "LOST" });
    await clock.until(two.manager.run("a", () => {}, { wait: 10 * TTL }));
  });

  test("a lock without a run has its signal, and is held until it is released", async () => {
    const lease = await clock.until(one.manager.lock("a"));
    const closed = one.manager.close();
    await clock.advance(5_000);
    expect(lease.signal.aborted).toBe(true);
    expect(await two.manager.heldLocks()).toHaveLength(1);
    await lease.release();
    await clock.until(closed);
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("a job function may write by its fence while it cleans up", async () => {
    const channel = await one.manager.channel<number>("own");
    const first = one.manager.run("a", async (run) => {
      await new Promise((resolve) => run.signal.addEventListener("abort", resolve));
      expect(() => run.assertHeld()).toThrow(expect.objectContaining({ code: "CLOSING" }));
      return (await run.fenced(channel, [{ put: "state", value: 7 }])).ok;
    });
    await clock.advance(100);
    await clock.until(one.manager.close());
    expect(await first).toMatchObject({ result: true });
  });
});

describe.each(STORES)("records and locks $stores: a run that is handed over", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
  });

  test("uses no attempt, is not a failure, and is made by the next process that takes it over", async () => {
    const made: number[] = [];
    const retry = { attempts: 2, delay: 60_000 };
    const { record } = await one.manager.run(
      "a",
      async (run) => {
        made.push(run.attempt);
        await run.handOver("this machine is needed");
      },
      { retry },
    );
    expect(record).toMatchObject({
      status: "skipped",
      handedOver: true,
      error: "this machine is needed",
      inError: false,
      attempt: 1,
    });
    expect(await two.manager.heldLocks()).toEqual([]);
    const why = await two.manager.why("a");
    expect(why.map(({ code }) => code)).toEqual(["retry", "last"]);
    await expect(
      clock.until(
        two.manager.takeOver("a", (run) => {
          made.push(run.attempt);
          throw new Error("no luck");
        }),
      ),
    ).rejects.toThrow("no luck");
    // Two attempts are allowed, and the one that was handed over does not count.
    expect(made).toEqual([1, 1, 1 + 1]);
    expect((await records(two)).map(({ status, attempt }) => `${status} ${attempt}`)).toEqual([
      "failed 2",
      "failed 1",
      "skipped 1",
    ]);
    const [summary] = await collect(two.manager.jobs());
    expect(summary?.streak).toBe(-1);
  });

  test("needs no retry, and stays for any process", async () => {
    const run = await clock.until(one.manager.start("a", { meta: { day: 3 } }));
    await run.handOver("another machine has the data");
    expect(await one.manager.orphanedRetries()).toMatchObject([
      { name: "a", attempt: 1, chain: run.id, meta: { day: 3 } },
    ]);
    const made = await clock.until(two.manager.takeOver("a", (it) => it.chain));
    expect(made).toMatchObject({ result: run.id, record: { meta: { day: 3 }, status: "completed" } });
    expect(await two.manager.retries()).toEqual([]);
  });

  test("may be handed over again and again", async () => {
    await one.manager.run("a", (run) => run.handOver("first"));
    for (const manager of [two.manager, one.manager, two.manager])
      await clock.until(manager.takeOver("a", (run) => run.handOver("again")));
    await clock.until(two.manager.takeOver("a", () => {}));
    const all = await records(two);
    expect(all.map(({ status }) => status)).toEqual(["completed", "skipped", "skipped", "skipped", "skipped"]);
    expect(new Set(all.slice(0, -1).map(({ chain }) => chain))).toEqual(new Set([all.at(-1)?.id]));
  });

  test("refuses a run that is over, and needs a reason", async () => {
    const run = await clock.until(one.manager.start("a"));
    expect(await rejection(run.handOver(""))).toMatchObject({ code: "INVALID" });
    await run.end();
    expect(await rejection(run.handOver("late"))).toMatchObject({ code: "ENDED" });
    await settled();
  });
});
