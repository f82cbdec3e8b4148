import { beforeEach, describe, expect, test } from "vitest";
import { compareVersions } from "../../channel/encoding/version.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { collect, rejection } from "../../testing/settle.js";
import { type ManagerOf, STORES, World } from "../../testing/world.js";
import type { RetryOptions, Run, RunRecord } from "../types.js";

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

const shown = async (one: ManagerOf): Promise<unknown[]> =>
  (await records(one)).map(({ attempt, status }) => [attempt, status]);

/** The process is gone: it reaches neither store any more. */
function kill(one: ManagerOf): void {
  one.way.fault = () => ({ type: "refused" });
  one.jobsWay.fault = one.way.fault;
}

describe.each(STORES)("records and locks $stores: a lock that is kept between attempts", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;
  /** The fences of the attempts that began, in order. */
  let fences: string[];

  beforeEach(async () => {
    one = await world.manager({ apart });
    two = await world.manager({ apart });
    fences = [];
  });

  /** A body that fails as often as it is told. */
  const failing =
    (times: number) =>
    async ({ fence }: Run): Promise<string> => {
      fences.push(fence);
      if (fences.length <= times) throw new Error(`no ${fences.length}`);
      return "done";
    };

  const retry: RetryOptions = { attempts: 3, delay: MINUTE, keepLock: true };

  const idle = async (): Promise<void> => {
    expect(await clock.until(two.manager.locks())).toEqual([]);
    expect(await clock.until(two.manager.retries())).toEqual([]);
  };

  test("no other run of the name begins between two attempts, and each attempt has a higher fence", async () => {
    const work = one.manager.run("a", failing(2), { retry });
    await clock.advance(1_000);
    const [lock] = await two.manager.locks();
    const [first] = await records(two);
    expect(lock?.note).toEqual({ kept: { chain: first?.id, attempt: 2, due: (first?.endTime ?? 0) + MINUTE } });
    for (const other of [two, one]) {
      const refused = await clock.until(rejection(other.manager.run("a", () => "other", { wait: 5_000 })));
      expect(refused).toMatchObject({ code: "LOCKED", message: expect.stringContaining("kept between attempts by ") });
    }
    expect((await clock.until(work, 10 * MINUTE)).record).toMatchObject({ attempt: 3, status: "completed" });
    fences.splice(1, 0, lock?.fence ?? "");
    expect(fences.toSorted(compareVersions)).toEqual(fences);
    expect(new Set(fences).size).toBe(4);
    await idle();
  });

  test("a run that waits for the lock begins when the chain is over", async () => {
    const work = one.manager.run("a", failing(1), { retry });
    await clock.advance(1_000);
    const waiting = two.manager.run("a", () => "other", { wait: 10 * MINUTE });
    await clock.until(work, 10 * MINUTE);
    await clock.until(waiting, 1_000);
    expect(await shown(two)).toEqual([
      [1, "failed"],
      [2, "completed"],
      [undefined, "completed"],
    ]);
    await idle();
  });

  test("the lock is free after the last attempt that the policy allows", async () => {
    const work = rejection(one.manager.run("a", failing(9), { retry }));
    expect(await clock.until(work, 10 * MINUTE)).toMatchObject({ message: "no 3" });
    await idle();
  });

  test("a run that takes longer than its timeout keeps its lock for the next attempt too", async () => {
    const body = (run: Run): Promise<string> | string =>
      run.attempt === 2
        ? "done"
        : new Promise((resolve) => void run.signal.addEventListener("abort", () => resolve("")));
    const work = one.manager.run("a", body, { retry, timeout: 5_000 });
    await clock.advance(6_000);
    const refused = await clock.until(rejection(two.manager.run("a", () => "other")));
    expect(refused).toMatchObject({ code: "LOCKED" });
    await clock.until(work, 10 * MINUTE);
    expect(await shown(two)).toEqual([
      [1, "timeout"],
      [2, "completed"],
    ]);
    await idle();
  });

  test("a body that ignores its signal keeps the lock for the delay and one timeout at most", async () => {
    let end = (): void => {};
    const body = (run: Run): Promise<string> | string =>
      run.attempt === 2 ? "done" : new Promise((resolve) => (end = () => resolve("")));
    const work = one.manager.run("a", body, { retry, timeout: 5_000 });
    await clock.advance(6_000);
    expect(await two.manager.locks()).toHaveLength(1);
    await clock.advance(MINUTE + 5_000);
    expect(await two.manager.locks()).toEqual([]);
    await clock.until(two.manager.run("a", () => "other"));
    end();
    expect((await clock.until(work, 10 * MINUTE)).record.attempt).toBe(2);
    await idle();
  });

  test("a process that dies while it keeps a lock loses it, and another process makes the attempt", async () => {
    void one.manager.run("a", failing(1), { retry }).catch(() => {});
    await clock.advance(1_000);
    expect((await clock.until(two.manager.why("a"))).map(({ code, text }) => [code, text])).toEqual([
      ["kept", expect.stringMatching(/^its lock is kept between attempts by .*: attempt 2 of a@\S+ is due at 20/)],
      ["retry", expect.stringMatching(/^attempt 2 of a@\S+ is due at 20/)],
      ["last", expect.stringContaining("ended as failed")],
    ]);
    kill(one);
    await clock.advance(2 * TTL);
    await clock.until(two.manager.run("a", () => "other"));
    expect((await clock.until(two.manager.takeOver("a", failing(1)), 2 * MINUTE))?.record.attempt).toBe(2);
    expect(await shown(two)).toEqual([
      [1, "failed"],
      [undefined, "completed"],
      [2, "completed"],
    ]);
    await idle();
  });

  test("a process that loses its session while it keeps a lock goes on without the lock", async () => {
    const work = one.manager.run("a", failing(1), { retry });
    await clock.advance(1_000);
    kill(one);
    await clock.advance(2 * TTL);
    one.way.fault = () => undefined;
    one.jobsWay.fault = one.way.fault;
    await clock.until(two.manager.run("a", () => "other"));
    expect((await clock.until(work, 2 * MINUTE)).record).toMatchObject({ attempt: 2, status: "completed" });
    await idle();
  });

  test("a chain that another process took over after a loss of the lock is not gone on with", async () => {
    const work = rejection(one.manager.run("a", failing(1), { retry }));
    await clock.advance(1_000);
    kill(one);
    await clock.advance(2 * TTL);
    const taken = two.manager.takeOver("a", failing(1));
    await clock.advance(1_000);
    one.way.fault = () => undefined;
    one.jobsWay.fault = one.way.fault;
    expect(await clock.until(work, 2 * MINUTE)).toMatchObject({ code: "LOST" });
    expect((await clock.until(taken, 2 * MINUTE))?.record.attempt).toBe(2);
    await idle();
  });

  test("a manager that is closed between two attempts frees the lock, and leaves the attempt to others", async () => {
    const work = rejection(one.manager.run("a", failing(1), { retry }));
    await clock.advance(1_000);
    await clock.until(one.manager.close());
    expect(await clock.until(work)).toMatchObject({ code: "CLOSED" });
    expect(await two.manager.locks()).toEqual([]);
    expect((await clock.until(two.manager.takeOver("a", failing(1)), 2 * MINUTE))?.record.attempt).toBe(2);
    await idle();
  });

  test("a cancel from another process between two attempts ends the chain, and the next attempt records it", async () => {
    const work = rejection(one.manager.run("a", failing(9), { retry }));
    await clock.advance(1_000);
    const outcome = await clock.until(two.manager.cancel("a", { reason: "wrong month" }), 5_000);
    expect(await clock.until(work, 1_000)).toMatchObject({ code: "CANCELLED" });
    const all = await records(two);
    expect(all.at(-1)).toMatchObject({
      attempt: 2,
      chain: all[0]?.id,
      status: "cancelled",
      endedBy: { action: "cancel", reason: "wrong month" },
    });
    expect(outcome).toEqual({ asked: true, ended: true, run: all[1] });
    expect(fences).toHaveLength(1);
    await idle();
  });

  test("a cancel between two attempts takes the id of the chain, and not that of another run", async () => {
    const work = rejection(one.manager.run("a", failing(9), { retry }));
    await clock.advance(1_000);
    const [first] = await records(two);
    const other = `a@${new Date((first?.startTime ?? 0) + 1).toISOString()}`;
    const nobody = { asked: false, ended: false };
    expect(await clock.until(two.manager.cancel(other, { reason: "no" }))).toEqual(nobody);
    expect(await clock.until(two.manager.cancel(first?.id ?? "", { reason: "yes" }), 5_000)).toMatchObject({
      ended: true,
    });
    await clock.until(work, 1_000);
    await idle();
  });

  test("a signal that fires between two attempts ends the chain, and the next attempt records it", async () => {
    const stop = new AbortController();
    const work = rejection(one.manager.run("a", failing(9), { retry, signal: stop.signal }));
    await clock.advance(1_000);
    stop.abort("enough");
    expect(await clock.until(work, 1_000)).toMatchObject({ code: "CANCELLED" });
    expect((await records(two)).at(-1)).toMatchObject({
      attempt: 2,
      status: "cancelled",
      error: expect.stringContaining("enough"),
    });
    expect(fences).toHaveLength(1);
    await idle();
  });

  test.each(["living", "dead"])(
    "a forced unlock of a lock that a %s process keeps ends the chain, with a record",
    async (which) => {
      const work = rejection(one.manager.run("a", failing(9), { retry }));
      await clock.advance(1_000);
      const [lock] = await two.manager.locks();
      if (which === "dead") kill(one);
      const { unlocked, run } = await clock.until(two.manager.unlock("a", { reason: "stuck" }), 5_000);
      expect(unlocked).toBe(true);
      const all = await records(two);
      expect(all[1]).toEqual(run);
      expect(run).toMatchObject({
        attempt: 2,
        chain: all[0]?.id,
        status: "cancelled",
        error: "unlocked by force: stuck",
        endedBy: { action: "unlock", reason: "stuck" },
        fence: lock?.fence,
      });
      if (which === "living") {
        expect(await clock.until(work, 1_000)).toMatchObject({
          code: "LOST",
          message: expect.stringContaining("unlocked by force"),
        });
      }
      await idle();
    },
  );

  test("the next attempt waits for a store that is away, and has its lock all the same", async () => {
    const work = one.manager.run("a", failing(1), { retry: { ...retry, delay: 5_000 } });
    await clock.advance(4_000);
    kill(one);
    await clock.advance(4_000);
    one.way.fault = () => undefined;
    one.jobsWay.fault = one.way.fault;
    const waiting = two.manager.run("a", () => "other", { wait: MINUTE });
    expect((await clock.until(work, MINUTE)).record.attempt).toBe(2);
    await clock.until(waiting, MINUTE);
    expect(await shown(two)).toEqual([
      [1, "failed"],
      [2, "completed"],
      [undefined, "completed"],
    ]);
    await idle();
  });

  test("a lock is kept although the answer to the commit that keeps it was lost", async () => {
    let lost = 0;
    one.way.fault = (call) => {
      const keeps = call.kind === "commit" && call.commit.writes.some(({ value }) => value?.includes('"kept"'));
      return keeps && lost++ === 0 ? { type: "reply lost" } : undefined;
    };
    const work = one.manager.run("a", failing(1), { retry });
    await clock.advance(10_000);
    expect(lost).toBe(2);
    expect((await two.manager.locks())[0]?.note).toMatchObject({ kept: { attempt: 2 } });
    expect((await clock.until(work, 2 * MINUTE)).record.attempt).toBe(2);
    expect(await shown(two)).toEqual([
      [1, "failed"],
      [2, "completed"],
    ]);
    await idle();
  });
});
