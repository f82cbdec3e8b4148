import { beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../../testing/fake-clock.js";
import { collect, rejection } from "../../testing/settle.js";
import { type ManagerOf, STORES, World } from "../../testing/world.js";
import type { PendingRetry, RetryOptions, Run, RunRecord, StartClaim } from "../types.js";

const TTL = 15_000;
const MINUTE = 60_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

const records = async ({ manager }: ManagerOf): Promise<RunRecord[]> =>
  (await collect(manager.history({ name: "a" }))).toReversed();

/** The process is gone: it reaches neither store any more. */
function kill(one: ManagerOf): void {
  one.way.fault = () => ({ type: "refused" });
  one.jobsWay.fault = one.way.fault;
}

describe.each(STORES)("records and locks $stores: retries", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;
  /** The attempts that began, in order. */
  let began: number[];

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
    began = [];
  });

  /** A body that fails the given number of times. */
  const failing =
    (times: number) =>
    async (_: Run): Promise<string> => {
      began.push(clock.now());
      if (began.length <= times) throw new Error(`no ${began.length}`);
      return "done";
    };

  const retry: RetryOptions = { attempts: 3, delay: MINUTE };

  const pending = ({ manager }: ManagerOf): Promise<PendingRetry[]> => clock.until(manager.retries("a"));

  test("an attempt of a process whose clock was ahead is not waited for longer than the policy says", async () => {
    const dying = rejection(one.manager.run("a", failing(1), { retry }));
    await clock.advance(1_000);
    kill(one);
    await clock.advance(3 * TTL);
    clock.wall -= 3_600_000;
    const before = clock.monotonic();
    expect((await clock.until(two.manager.takeOver("a", failing(1)), 2 * 3_600_000))?.record.attempt).toBe(2);
    expect(clock.monotonic() - before).toBeLessThanOrEqual(MINUTE + 1_000);
    void dying;
  });

  test("a run that fails is tried again after its delays, and each attempt has a record of its own", async () => {
    const start = clock.now();
    const { result, record } = await clock.until(one.manager.run("a", failing(2), { retry, meta: { f: 1 } }), 600_000);
    expect(result).toBe("done");
    expect(began.map((at) => at - start)).toEqual([0, MINUTE, 3 * MINUTE]);
    const all = await records(two);
    expect(all.map(({ status, attempt, error, meta }) => [status, attempt, error, meta])).toEqual([
      ["failed", 1, "no 1", { f: 1 }],
      ["failed", 2, "no 2", { f: 1 }],
      ["completed", 3, undefined, { f: 1 }],
    ]);
    expect(all.map(({ chain }) => chain)).toEqual([undefined, all[0]?.id, all[0]?.id]);
    expect(record).toEqual(all[2]);
    expect(await pending(two)).toEqual([]);
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("each attempt gets the args of the first one, in another process too", async () => {
    const seen: unknown[] = [];
    const body = async ({ args }: Run): Promise<void> => {
      seen.push(args);
      if (seen.length < 3) throw new Error("no");
    };
    const args = { day: "2026-11-01" };
    const work = rejection(one.manager.run("a", body, { retry, args }));
    await clock.advance(MINUTE + 1_000);
    kill(one);
    await clock.advance(3 * TTL);
    await clock.until(two.manager.takeOver("a", body), 600_000);
    expect(seen).toEqual([args, args, args]);
    expect((await records(two)).map((record) => record.args)).toEqual([args, args, args]);
    void work;
  });

  test("an attempt that is cancelled before it begins shows the args that it would have had", async () => {
    const work = rejection(one.manager.run("a", failing(9), { retry, args: { n: 2 } }));
    await clock.advance(1_000);
    await clock.until(two.manager.cancel("a", { reason: "enough" }));
    await clock.until(work, 60_000);
    const all = (await records(two)).filter(({ attempt }) => attempt === 2);
    expect(all.map(({ status, args }) => [status, args])).toEqual([["cancelled", { n: 2 }]]);
  });

  test("an attempt that another process made after a forced unlock is not made again by the process of the one before", async () => {
    let isCut = false;
    const body = (): never => {
      isCut = true;
      throw new Error("no");
    };
    one.way.fault = (call) =>
      isCut && call.kind === "commit" && call.commit.writes.some(({ key }) => key.includes('["lock '))
        ? { type: "refused" }
        : undefined;
    const work = rejection(one.manager.run("a", body, { retry: { attempts: 3, delay: 0 } }));
    await clock.advance(500);
    await clock.until(two.manager.unlock("a", { reason: "stuck" }));
    await clock.until(two.manager.takeOver("a", () => "done"));
    isCut = false;
    await clock.until(work, 60_000);
    const chain = (await records(two)).filter(({ attempt }) => attempt !== undefined);
    expect(chain.map(({ attempt }) => attempt)).toEqual(apart ? [1, 2] : [1]);
    expect(await pending(two)).toEqual([]);
  });

  test("an attempt that was written beside the lock of a dead process is made while that lock is still there", async () => {
    const lost = { ...retry, delay: 100, onLost: true };
    const dying = one.manager.run("a", () => new Promise(() => {}), { retry: lost });
    dying.catch(() => {});
    await clock.advance(1_000);
    kill(one);
    const [lock] = await two.manager.heldLocks();
    await two.manager.channels.locks.unset(["session", lock?.holder.instance ?? ""]);
    // A run that finds the dead lock writes the attempt, and then does not start.
    const channel = await two.manager.channel<string>("orders");
    const claim: StartClaim = {
      ops: () => [{ channel, ops: [{ check: "gone", version: "1" }] }],
      refused: () => Promise.reject(new Error("somebody else ships this order")),
    };
    expect(await clock.until(rejection(two.manager.run("a", () => {}, { claim, wait: 0 })))).toMatchObject({
      message: "somebody else ships this order",
    });
    expect(await pending(two)).toMatchObject([{ attempt: 2 }]);
    expect((await two.manager.heldLocks()).map(({ fence }) => fence)).toEqual([lock?.fence]);
    expect(
      (
        await clock.until(
          two.manager.takeOver("a", () => "done"),
          2_000,
        )
      )?.record,
    ).toMatchObject({ attempt: 2 });
    expect((await records(two)).map(({ status }) => status)).toEqual(["lost", "completed"]);
  });

  test("a run that keeps failing is tried as often as allowed, and rejects with the last error", async () => {
    const work = rejection(one.manager.run("a", failing(9), { retry }));
    expect(await clock.until(work, 600_000)).toMatchObject({ message: "no 3" });
    expect(await records(two)).toHaveLength(3);
    expect(await pending(two)).toEqual([]);
  });

  test("between two attempts the lock is free, and the wait is in the store", async () => {
    const work = one.manager.run("a", failing(1), { retry });
    await clock.advance(1_000);
    const [first] = await records(two);
    const by = expect.objectContaining({ pid: process.pid });
    expect(await pending(two)).toEqual([
      expect.objectContaining({ name: "a", chain: first?.id, attempt: 2, error: "no 1", by }),
    ]);
    expect((await pending(two))[0]?.due).toBe((first?.endTime ?? 0) + MINUTE);
    await clock.until(two.manager.run("a", () => {}));
    expect((await clock.until(work, 120_000)).record.attempt).toBe(2);
  });

  test("a cancel between two attempts ends the chain: the next attempt has the record, and its body never begins", async () => {
    const work = rejection(one.manager.run("a", failing(9), { retry, meta: { month: 3 } }));
    await clock.advance(1_000);
    const outcome = await clock.until(two.manager.cancel("a", { reason: "wrong month", author: "ana" }), 5_000);
    const [first, second, ...rest] = await records(two);
    expect(rest).toEqual([]);
    expect(outcome).toEqual({ requested: true, ended: true, run: second });
    expect(second).toMatchObject({
      ...{ attempt: 2, chain: first?.id, status: "cancelled", meta: { month: 3 } },
      error: 'the run of "a" was cancelled: by ana: wrong month',
      endedBy: { action: "cancel", author: "ana", reason: "wrong month" },
    });
    expect(await collect(two.manager.audit())).toMatchObject([
      { action: "cancel", name: "a", author: "ana", reason: "wrong month", details: { chain: first?.id } },
    ]);
    expect(await pending(two)).toEqual([]);
    expect(await two.manager.heldLocks()).toEqual([]);
    // Long before the attempt is due.
    expect(await clock.until(work, 5_000)).toMatchObject({
      code: "CANCELLED",
      message: 'attempt 2 of "a" was cancelled before it began: by ana: wrong month',
    });
    expect(began).toHaveLength(1);
    expect(await records(two)).toHaveLength(2);
  });

  test("a cancel between two attempts takes the id of the chain, and not that of another run", async () => {
    const work = rejection(one.manager.run("a", failing(9), { retry }));
    await clock.advance(1_000);
    const [first] = await records(two);
    const other = `a@${new Date((first?.startTime ?? 0) + 1).toISOString()}`;
    const none = { requested: false, ended: false };
    expect(await clock.until(two.manager.cancel(other, { reason: "no" }))).toEqual(none);
    expect(await clock.until(two.manager.cancel("a", { reason: "a rule", audited: false }))).toEqual(none);
    const outcome = await clock.until(two.manager.cancel(first?.id ?? "", { reason: "yes" }), 5_000);
    expect(outcome.run).toMatchObject({ attempt: 2, status: "cancelled" });
    await clock.until(work, 2 * MINUTE);
  });

  test("a cancel of an attempt whose lock a person holds says who holds it, and leaves the attempt", async () => {
    const work = one.manager.run("a", failing(1), { retry });
    await clock.advance(1_000);
    await clock.until(two.manager.hold("a", { reason: "the schema changes", author: "ana" }));
    const refused = await clock.until(rejection(two.manager.cancel("a", { reason: "x" })));
    expect(refused).toMatchObject({ code: "LOCKED", message: expect.stringMatching(/by ana .*the schema changes/) });
    await clock.until(two.manager.unlock("a", { reason: "done" }));
    expect((await clock.until(work, 5 * MINUTE)).record.attempt).toBe(2);
  });

  test("a chain whose process dies in the wait is gone on with by the next run of the name, at its time", async () => {
    void one.manager.run("a", failing(1), { retry }).catch(() => {});
    await clock.advance(1_000);
    kill(one);
    await clock.advance(2 * TTL);
    const { record } = await clock.until(two.manager.run("a", failing(1), { retry }), 120_000);
    const [first, second, ...rest] = await records(two);
    expect(rest).toEqual([]);
    expect(second).toEqual(record);
    expect(record).toMatchObject({ attempt: 2, chain: first?.id, status: "completed" });
    expect((record.startTime ?? 0) - (first?.endTime ?? 0)).toBeGreaterThanOrEqual(MINUTE);
    expect(await pending(two)).toEqual([]);
  });

  test("of several processes that continue with a chain one makes each attempt", async () => {
    void one.manager.run("a", failing(2), { retry }).catch(() => {});
    await clock.advance(1_000);
    kill(one);
    await clock.advance(3 * TTL);
    const others = [two, await world.manager({ apart }), await world.manager({ apart })];
    const outcomes = await clock.until(
      Promise.all(others.map(({ manager }) => manager.takeOver("a", failing(2)))),
      600_000,
    );
    expect(outcomes.filter((outcome) => outcome !== undefined)).toHaveLength(1);
    expect((await records(two)).map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, "failed"],
      [2, "failed"],
      [3, "completed"],
    ]);
  });

  test("the chain of a living process is not taken over", async () => {
    const work = one.manager.run("a", failing(1), { retry });
    await clock.advance(1_000);
    expect(await clock.until(two.manager.takeOver("a", failing(0)))).toBeUndefined();
    expect(began).toHaveLength(1);
    expect((await clock.until(work, 120_000)).record).toMatchObject({ attempt: 2 });
  });

  test("a run passes to its body which attempt it is, and of which chain", async () => {
    const told: [number, string][] = [];
    const body = ({ attempt, chain }: Run): Promise<void> => {
      told.push([attempt, chain]);
      return attempt < 3 ? Promise.reject(new Error("no")) : Promise.resolve();
    };
    await clock.until(one.manager.run("a", body, { retry }), 600_000);
    const id = (await records(one))[0]?.id;
    expect(told).toEqual([
      [1, id],
      [2, id],
      [3, id],
    ]);
  });

  test("an attempt that was made is not left in the store by a late write of the finder of the dead process", async () => {
    void one.manager.run("a", () => new Promise(() => {}), { retry: { ...retry, onLost: true } }).catch(() => {});
    await clock.advance(1_000);
    kill(one);
    two.way.once('["retry ', { type: "doubled", ms: 10 * MINUTE });
    await clock.advance(3 * TTL);
    expect((await clock.until(two.manager.takeOver("a", failing(0)), 120_000))?.record.attempt).toBe(2);
    await clock.advance(10 * MINUTE);
    expect(await pending(two)).toEqual([]);
  });

  test("nor by one that comes late to the lock of that process", async () => {
    const late = await world.manager({ apart });
    void one.manager.run("a", () => new Promise(() => {}), { retry: { ...retry, onLost: true } }).catch(() => {});
    await clock.advance(1_000);
    kill(one);
    const [lock] = await two.manager.heldLocks();
    await two.manager.channels.locks.unset(["session", lock?.holder.instance ?? ""]);
    // It finds the dead lock, and its write of the attempt is under way.
    late.way.once('["retry ', { type: "slow", ms: 10 * MINUTE });
    const sweep = late.manager.sweep();
    await clock.until(two.manager.sweep());
    expect((await clock.until(two.manager.takeOver("a", failing(0)), 120_000))?.record.attempt).toBe(2);
    expect(late.way.commits.some(({ writes }) => writes.some(({ key }) => key.includes('["retry ')))).toBe(true);
    await clock.until(sweep, 20 * MINUTE);
    expect(await pending(two)).toEqual([]);
  });

  test("an entry that ojm did not write is not an attempt: that of a dead process is written over it", async () => {
    const dying = one.manager.run("a", () => new Promise(() => {}), { retry: { ...retry, onLost: true } });
    dying.catch(() => {});
    await clock.advance(1_000);
    const [record] = await records(two);
    await two.manager.channels.locks.set(["retry", "a", record?.id ?? ""], "mine" as never);
    kill(one);
    await clock.advance(3 * TTL);
    expect((await clock.until(two.manager.takeOver("a", failing(0)), 120_000))?.record.attempt).toBe(2);
  });

  test("where no chain was left, there is none to continue with", async () => {
    expect(await clock.until(two.manager.takeOver("a", failing(0)))).toBeUndefined();
    expect(began).toEqual([]);
  });

  test("a run that is lost is tried again by another process, if that is wanted", async () => {
    for (const onLost of [false, true]) {
      began = [];
      const holder = await world.manager({ apart });
      void holder.manager.run("a", () => new Promise(() => {}), { retry: { ...retry, onLost } }).catch(() => {});
      await clock.advance(1_000);
      kill(holder);
      await clock.advance(3 * TTL);
      const outcome = await clock.until(two.manager.takeOver("a", failing(0)), 120_000);
      const all = await records(two);
      expect(all.at(onLost ? -2 : -1)).toMatchObject({ status: "lost", attempt: 1 });
      expect(outcome?.record).toEqual(onLost ? all.at(-1) : undefined);
      if (onLost) expect(outcome?.record).toMatchObject({ attempt: 2, chain: all.at(-2)?.id });
    }
  });

  test("a run that takes too long is tried again, but not before its body is over", async () => {
    let finish = (): void => {};
    let attempts = 0;
    const body = (): Promise<void> => {
      attempts++;
      return attempts > 1 ? Promise.resolve() : new Promise((resolve) => (finish = resolve));
    };
    const work = one.manager.run("a", body, { retry: { ...retry, delay: 10 }, timeout: 1_000 });
    await clock.advance(MINUTE);
    expect(attempts).toBe(1);
    expect(await pending(two)).toHaveLength(1);
    finish();
    expect((await clock.until(work)).record).toMatchObject({ attempt: 2 });
    expect((await records(two)).map(({ status }) => status)).toEqual(["timeout", "completed"]);
  });

  test("a run that is cancelled, skipped or unlocked by force is not tried again", async () => {
    const untilStopped = (run: Run): Promise<void> =>
      new Promise((_, reject) => run.signal.addEventListener("abort", () => reject(new Error("stopped"))));
    const cancelled = rejection(one.manager.run("a", untilStopped, { retry }));
    await clock.advance(1_000);
    await clock.until(two.manager.cancel("a", { reason: "x" }), 1_000);
    expect(await clock.until(cancelled)).toMatchObject({ code: "CANCELLED" });
    const unlocked = rejection(one.manager.run("a", untilStopped, { retry }));
    await clock.advance(1_000);
    await clock.until(two.manager.unlock("a", { reason: "x" }), 1_000);
    expect(await clock.until(unlocked)).toMatchObject({ code: "LOST" });
    const skipping = (run: Run): Promise<unknown> => run.skip("there are no rows");
    expect((await clock.until(one.manager.run("a", skipping, { retry }))).record.status).toBe("skipped");
    await clock.advance(10 * MINUTE);
    expect((await records(two)).map(({ status }) => status)).toEqual(["cancelled", "cancelled", "skipped"]);
    expect(await pending(two)).toEqual([]);
  });

  test("a signal that fires in the wait ends the chain, and the next attempt records it", async () => {
    const stop = new AbortController();
    const work = rejection(one.manager.run("a", failing(9), { retry, signal: stop.signal }));
    await clock.advance(1_000);
    stop.abort(new Error("deploy"));
    expect(await clock.until(work)).toMatchObject({ code: "CANCELLED", message: expect.stringMatching(/deploy$/) });
    expect(await pending(two)).toEqual([]);
    expect((await records(two)).at(-1)).toMatchObject({ attempt: 2, status: "cancelled", error: "deploy" });
    expect(began).toHaveLength(1);
    await clock.until((await two.manager.start("a")).end());
  });

  test("a signal that fires while another run has the lock ends the chain, and waits for nothing", async () => {
    const stop = new AbortController();
    const work = rejection(one.manager.run("a", failing(9), { retry, signal: stop.signal }));
    await clock.advance(1_000);
    const other = await clock.until(two.manager.start("a"));
    stop.abort(new Error("deploy"));
    expect(await clock.until(work, 1_000)).toMatchObject({ code: "CANCELLED" });
    expect(await pending(two)).toEqual([]);
    expect(await clock.until(collect(two.manager.audit({ name: "a" })))).toMatchObject([
      { action: "cancel", reason: "deploy", details: { attempt: 2 } },
    ]);
    await clock.until(other.end());
  });

  test("a manager that is closed in the wait leaves the chain to others", async () => {
    const work = rejection(one.manager.run("a", failing(1), { retry }));
    await clock.advance(1_000);
    await clock.until(one.manager.close());
    expect(await clock.until(work)).toMatchObject({ code: "CLOSED" });
    expect(await pending(two)).toHaveLength(1);
    expect((await clock.until(two.manager.takeOver("a", failing(1)), 120_000))?.record.attempt).toBe(2);
  });

  test("an attempt waits for its lock, however long another run has it", async () => {
    const work = one.manager.run("a", failing(1), { retry });
    await clock.advance(1_000);
    const other = await clock.until(two.manager.start("a"));
    await clock.advance(10 * MINUTE);
    await clock.until(other.end());
    expect((await clock.until(work)).record.attempt).toBe(2);
  });

  test("a store that is away when an attempt is due delays the attempt", async () => {
    const work = one.manager.run("a", failing(1), { retry });
    await clock.advance(MINUTE - TTL / 3);
    kill(one);
    await clock.advance(TTL / 2);
    one.way.fault = () => undefined;
    one.jobsWay.fault = () => undefined;
    expect((await clock.until(work, 120_000)).record.attempt).toBe(2);
    expect(await records(two)).toHaveLength(2);
  });

  test("an attempt that a process took over without hearing of it is made by its next call", async () => {
    void one.manager.run("a", failing(1), { retry }).catch(() => {});
    await clock.advance(1_000);
    kill(one);
    await clock.advance(3 * TTL);
    two.way.once('["retry ', { type: "reply lost" });
    expect(await clock.until(rejection(two.manager.takeOver("a", failing(1))))).toMatchObject({ code: "TIMEOUT" });
    expect((await clock.until(two.manager.takeOver("a", failing(1)), 120_000))?.record.attempt).toBe(2);
  });

  test("a run whose lock was removed, and that no other process closes, is tried again", async () => {
    const untilLost = (run: Run): Promise<void> =>
      run.attempt > 1
        ? Promise.resolve()
        : new Promise((resolve) => run.signal.addEventListener("abort", () => resolve()));
    const work = one.manager.run("a", untilLost, { retry: { ...retry, onLost: true } });
    await clock.advance(1_000);
    await clock.until(two.manager.channels.locks.unset(["lock", "a"]));
    expect((await clock.until(work, 120_000)).record.attempt).toBe(2);
    expect((await records(two)).map(({ status }) => status)).toEqual(["lost", "completed"]);
  });

  test("a run with a claim is made for it, and leaves a chain that is left behind to others", async () => {
    void one.manager.run("a", failing(9), { retry }).catch(() => {});
    await clock.advance(1_000);
    kill(one);
    await clock.advance(3 * TTL);
    const claim = { ops: () => [], refused: async () => {} };
    const { record } = await clock.until(
      two.manager.run("a", () => {}, { retry, claim }),
      1_000,
    );
    expect(record.attempt).toBe(1);
    expect(await pending(two)).toHaveLength(1);
  });

  test("an attempt for a tick keeps its schedule and tick", async () => {
    const at = clock.now();
    const claim = { tick: { schedule: "nightly", at }, ops: () => [], refused: async () => {} };
    const { record } = await clock.until(one.manager.run("a", failing(1), { retry, claim }), 120_000);
    expect(record).toMatchObject({ schedule: "nightly", tick: at, delay: MINUTE, attempt: 2 });
  });
});

test("a retry needs a body that can be run again", async () => {
  const { manager } = await world.manager();
  await expect(manager.start("a", { retry: { attempts: 2 } })).rejects.toThrow(/use run\(\), not start\(\)/);
  await expect(manager.run("a", 5 as never, { retry: { attempts: 2 } })).rejects.toThrow(/must be a function/);
});
