import { backend as simple } from "@ojm/simple";
import { beforeEach, describe, expect, test } from "vitest";
import type { CallOptions, Commit, CommitOutcome } from "../../channel/backend/backend.js";
import { openChannel } from "../../channel/open.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { collect, rejection } from "../../testing/settle.js";
import { FaultyBackend } from "../../testing/stores/faulty-backend.js";
import { PassedOn } from "../../testing/stores/passed-on.js";
import { type ManagerOf, STORES, World } from "../../testing/world.js";
import { FORMATS } from "../format.js";
import type { RateOptions, Run, RunOptions } from "../types.js";

const PER = 10_000;
const SMTP = { name: "smtp", max: 3, per: PER };
const PATIENT = { permitWait: "1h" } as const;

/** A store whose wall clock is set back: what a rate wrote before that stays longer, by `later` ms. */
class SetBack extends PassedOn {
  later = 3_600_000;

  override commit({ checks, writes }: Commit, options?: CallOptions): Promise<CommitOutcome> {
    const longer = writes.map((write) =>
      write.value !== null && write.ttl !== undefined && write.key.includes('["rate ')
        ? { ...write, ttl: write.ttl + this.later }
        : write,
    );
    return super.commit({ checks, writes: longer }, options);
  }
}

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe.each(STORES)("records and locks $stores: rates", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;
  /** The names of the bodies in the order of their starts, and when each began. */
  let began: string[];
  let at: number[];

  beforeEach(async () => {
    [one, two] = [await world.manager({ apart }), await world.manager({ apart })];
    [began, at] = [[], []];
  });

  const work = ({ manager }: ManagerOf, name: string, options: RunOptions, ms = 10): Promise<unknown> => {
    const body = async (): Promise<void> => {
      began.push(name);
      at.push(clock.monotonic());
      await new Promise<void>((resolve) => clock.after(ms, resolve));
    };
    return manager.run(name, body, { ...PATIENT, ...options });
  };

  /** How many runs began in the fullest window of `per`. */
  const most = (per: number): number =>
    Math.max(...at.map((from) => at.filter((time) => time >= from && time < from + per - 50).length));

  const tokens = (): Promise<number> => two.manager.channels.locks.size({ prefix: ["rate"] });

  test("of many runs in two processes, at most max begin in any window, and all begin as soon as that allows", async () => {
    const from = clock.monotonic();
    const all = Array.from({ length: 12 }, (_, i) => work(i % 2 === 0 ? one : two, `n${i}`, { rate: SMTP }));
    await clock.until(Promise.all(all), 120_000);
    expect(began).toHaveLength(12);
    expect(most(PER)).toBe(3);
    expect(clock.monotonic() - from).toBeLessThan(3 * PER + 2_000);
    const [record] = await collect(two.manager.history({ name: "n0" }));
    expect(record).toMatchObject({ status: "completed", rate: SMTP });
    await clock.advance(1_000);
    expect(await two.manager.channels.locks.size({ prefix: ["lock"] })).toBe(0);
  });

  test("nothing of a rate stays in the store", async () => {
    await clock.until(Promise.all([work(one, "a", { rate: SMTP }), work(two, "b", { rate: SMTP })]), 20_000);
    expect(await tokens()).toBe(3);
    await clock.advance(PER + 70_000);
    expect(await tokens()).toBe(0);
  });

  test("of many runs at once that do not wait, each gets a token if there are as many", async () => {
    const rate = { name: "smtp", max: 20, per: PER };
    const managers = [one, two, await world.manager({ apart }), await world.manager({ apart })];
    const all = Array.from({ length: 20 }, (_, i) =>
      work(managers[i % 4] as ManagerOf, `n${i}`, { rate, wait: 0, permitWait: 0 }),
    );
    await clock.until(Promise.all(all), 20_000);
    expect(began).toHaveLength(20);
  });

  test("the error of a run with permits and a rate names the one that is used up", async () => {
    const shape = { permits: { stripe: 1 }, rate: { name: "smtp", max: 1, per: PER } };
    await clock.until(work(one, "a", shape));
    const error = await clock.until(rejection(two.manager.run("b", () => {}, { ...shape, wait: 0 })));
    expect(error).toMatchObject({ code: "LOCKED", rate: "smtp", permit: undefined });
    expect((error as Error).message).toContain('as many as the rate "smtp" allows');
    void work(one, "c", shape).catch(() => {});
    await clock.advance(1_000);
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    await clock.advance(PER);
    const ahead = await clock.until(rejection(two.manager.run("b", () => {}, { ...shape, wait: 0 })));
    expect(ahead).toMatchObject({ code: "LOCKED", rate: undefined, permit: "stripe" });
    expect((ahead as Error).message).toMatch(/ahead in the line for the permit "stripe" and the rate "smtp"$/);
  });

  test("runs that wait for a rate start in order of arrival, and a newcomer passes none", async () => {
    const rate = { name: "smtp", max: 1, per: PER };
    const all = [work(one, "first", { rate })];
    await clock.advance(100);
    for (const [i, manager] of [two, one, two].entries()) {
      all.push(work(manager, `n${i}`, { rate }));
      await clock.advance(100);
    }
    const late = await clock.until(rejection(one.manager.run("late", () => {}, { rate, wait: 0 })));
    expect(late).toMatchObject({ code: "LOCKED", rate: "smtp", permit: undefined });
    await clock.until(Promise.all(all), 60_000);
    expect(began).toEqual(["first", "n0", "n1", "n2"]);
    expect(most(PER)).toBe(1);
  });

  test("a run that does not wait for its rate is rejected, and the error says when the next may begin", async () => {
    const rate = { name: "smtp", max: 1, per: PER };
    await clock.until(work(one, "a", { rate }));
    const error = await clock.until(rejection(two.manager.run("b", () => {}, { rate, wait: 0 })));
    expect(error).toMatchObject({ code: "LOCKED", job: "b", rate: "smtp" });
    expect((error as Error).message).toMatch(/one run has begun within 10 s.*the rate "smtp" allows.* in (9\.\d|10) s/);
    const late = rejection(two.manager.run("b", () => {}, { rate, wait: 700 }));
    expect(await clock.until(late, 5_000)).toMatchObject({ code: "LOCKED", rate: "smtp" });
    expect(await collect(two.manager.history({ name: "b" }))).toEqual([]);
    expect(await tokens()).toBe(2);
  });

  test("a run that does not get its lock takes no token", async () => {
    const run = await clock.until(one.manager.start("a"));
    const refused = await clock.until(rejection(two.manager.run("a", () => {}, { rate: SMTP, wait: 0 })));
    expect(refused).toMatchObject({ code: "LOCKED", rate: undefined });
    expect(await tokens()).toBe(0);
    await clock.until(run.end());
  });

  test("a run that fails, and one whose process dies, have taken their tokens", async () => {
    const rate = { name: "smtp", max: 2, per: PER };
    const failing = one.manager.run("a", () => Promise.reject(new Error("no")), { rate });
    expect(await clock.until(rejection(failing))).toMatchObject({ message: "no" });
    await clock.until(one.manager.start("b", { rate }));
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    const from = clock.monotonic();
    await clock.until(work(two, "c", { rate }), 60_000);
    expect(clock.monotonic() - from).toBeGreaterThan(PER - 1_000);
  });

  test("a wait for a rate ends with its signal, and at the close of its manager", async () => {
    const rate = { name: "smtp", max: 1, per: "1h" };
    await clock.until(work(one, "a", { rate }));
    const stop = new AbortController();
    const cancelled = rejection(two.manager.run("b", () => {}, { rate, ...PATIENT, signal: stop.signal }));
    const closed = rejection(two.manager.run("c", () => {}, { rate, ...PATIENT }));
    await clock.advance(1_000);
    stop.abort();
    expect(await clock.until(cancelled)).toMatchObject({ code: "CANCELLED" });
    await clock.until(two.manager.close(), 30_000);
    expect(await clock.until(closed)).toMatchObject({ code: "CLOSED" });
    await clock.advance(1_000);
    expect(await one.manager.channels.locks.size({ prefix: ["lock"] })).toBe(0);
  });

  test("a run takes its permits and its token together, and waits for one without the other", async () => {
    const both = { permits: { stripe: 1 }, rate: { name: "smtp", max: 1, per: PER } };
    const all = [work(one, "first", both, 20_000)];
    await clock.advance(100);
    all.push(work(two, "second", both));
    await clock.advance(100);
    all.push(work(one, "third", both));
    await clock.advance(PER + 5_000);
    // The token is free, and the runs that wait for the permit have not taken it.
    all.push(work(two, "other", { rate: both.rate }));
    await clock.advance(1_000);
    expect(began).toEqual(["first", "other"]);
    await clock.until(Promise.all(all), 120_000);
    expect(began).toEqual(["first", "other", "second", "third"]);
    expect(most(PER)).toBe(1);
    await clock.advance(1_000);
    expect(await two.manager.channels.locks.size({ prefix: ["lock"] })).toBe(0);
    expect(await two.manager.channels.locks.size({ prefix: ["permit"] })).toBe(0);
  });

  test("with two versions of a program that give different numbers, each run obeys its own", async () => {
    const rates: RateOptions[] = [
      { name: "smtp", max: 6, per: PER },
      { name: "smtp", max: 2, per: PER },
    ];
    for (let i = 0; i < 6; i++) await clock.until(work(one, `a${i}`, { rate: rates[0] as RateOptions }));
    const from = clock.monotonic();
    const strict = work(two, "strict", { rate: rates[1] as RateOptions });
    await clock.until(strict, 60_000);
    // Five of the six had to leave its window.
    expect(clock.monotonic() - from).toBeGreaterThan(PER - 1_500);
    await clock.until(Promise.all([0, 1, 2, 3].map((i) => work(one, `b${i}`, { rate: rates[0] as RateOptions }))), 500);
    const again = await clock.until(rejection(two.manager.run("x", () => {}, { rate: rates[1] as never, wait: 0 })));
    expect(again).toMatchObject({ code: "LOCKED", rate: "smtp" });
  });

  test("a shorter window counts only the runs within it, although their tokens stay longer", async () => {
    await clock.until(work(one, "a", { rate: { name: "smtp", max: 1, per: "1h" } }));
    const from = clock.monotonic();
    await clock.until(work(two, "b", { rate: { name: "smtp", max: 1, per: PER } }), 60_000);
    expect(clock.monotonic() - from).toBeGreaterThan(PER - 1_000);
    expect(clock.monotonic() - from).toBeLessThan(PER + 1_000);
  });

  describe("after the wall clock of the store was set back", () => {
    const rate = { name: "smtp", max: 3, per: PER };
    let store: SetBack;

    beforeEach(async () => {
      store = new SetBack(await simple.open({}, { clock }), clock);
      const opened = (): Promise<ManagerOf> =>
        world.manager({ apart, chLocks: { backend: new FaultyBackend(store, clock) } });
      [one, two] = [await opened(), await opened()];
      for (const name of ["a", "b", "c"]) await clock.until(work(one, name, { rate }));
      store.later = 0;
    });

    test("the runs of all processes begin again after one window, at most max in any", async () => {
      const from = clock.monotonic();
      const all = Array.from({ length: 9 }, (_, i) => work(i % 2 === 0 ? one : two, `n${i}`, { rate }));
      await clock.until(Promise.all(all), 7_200_000);
      expect(most(PER)).toBe(3);
      expect(clock.monotonic() - from).toBeLessThan(3 * PER + 2_000);
    });

    test("none begins before the window is over, and then those that do not wait begin, too", async () => {
      const from = clock.monotonic();
      await clock.until(work(two, "d", { rate }), 7_200_000);
      expect(at.at(-1)).toBeGreaterThanOrEqual(from + PER - 50);
      // The first start has written for all processes which tokens count no more.
      for (const name of ["e", "f"]) await clock.until(work(one, name, { rate, permitWait: 0 }));
      const error = await clock.until(rejection(two.manager.run("g", () => {}, { rate, permitWait: 0 })));
      expect(error).toMatchObject({ code: "LOCKED", rate: "smtp" });
      expect(most(PER)).toBe(3);
    });

    test("runs that do not wait begin after one window, too, if their process has seen the old tokens before", async () => {
      const from = clock.monotonic();
      const start = (name: string): Promise<unknown> => clock.until(work(one, name, { rate, permitWait: 0 }));
      expect(await rejection(start("d"))).toMatchObject({ code: "LOCKED", rate: "smtp" });
      await clock.advance(PER / 2);
      expect(await rejection(start("d"))).toMatchObject({ code: "LOCKED", rate: "smtp" });
      await clock.advance(PER / 2);
      for (const name of ["d", "e", "f"]) await start(name);
      expect(at.at(-3)).toBeGreaterThanOrEqual(from + PER);
      expect(await rejection(start("g"))).toMatchObject({ code: "LOCKED", rate: "smtp" });
      expect(most(PER)).toBe(3);
    });

    test("the numbers that begin again after the loss of the entry are not taken for old tokens", async () => {
      const locks = one.manager.channels.locks as unknown as { unset(key: unknown): Promise<unknown> };
      const waiting = work(two, "d", { rate }, 10);
      await clock.advance(1_000);
      for (const key of [["rate", "smtp"], ...[0, 1, 2].map((n) => ["rate", "smtp", n])]) await locks.unset(key);
      const others = Array.from({ length: 8 }, (_, i) => work(one, `n${i}`, { rate }));
      at.length = 0;
      await clock.until(Promise.all([waiting, ...others]), 7_200_000);
      expect(most(PER)).toBe(3);
    });
  });

  test("each attempt of a retried run takes a token", async () => {
    let tries = 0;
    const body = (): number => {
      at.push(clock.monotonic());
      if (++tries < 3) throw new Error("not yet");
      return tries;
    };
    const retry = { attempts: 3, delay: 0, backoff: "fixed" } as const;
    const rate = { name: "smtp", max: 1, per: PER };
    const { record } = await clock.until(one.manager.run("a", body, { rate, retry, ...PATIENT }), 60_000);
    expect(record).toMatchObject({ attempt: 3, rate });
    expect(most(PER)).toBe(1);
  });

  test("an entry that another program wrote under the name of a rate stops no run", async () => {
    const locks = one.manager.channels.locks as unknown as { set(key: unknown, value: unknown): Promise<unknown> };
    await locks.set(["rate", "smtp"], "seven");
    await clock.until(work(one, "a", { rate: { name: "smtp", max: 1, per: PER } }));
    await locks.set(["rate", "smtp", 0], "taken");
    await clock.until(work(two, "b", { rate: { name: "smtp", max: 1, per: PER } }), 1_000);
  });

  test("why says when the next run of a rate may begin, and how many wait", async () => {
    const rate = { name: "smtp", max: 1, per: PER };
    await clock.until(work(one, "a", { rate }));
    const waiting = ["first", "second"].map((name) => work(two, name, { rate }));
    await clock.advance(1_000);
    for (const [name, codes] of [
      ["first", ["rate", "never"]],
      ["second", ["rate", "never"]],
      ["a", ["rate", "last"]],
      ["other", ["never"]],
    ] as const) {
      const reasons = await one.manager.why(name);
      expect(reasons.map(({ code }) => code)).toEqual(codes);
      if (name === "other") continue;
      expect(reasons[0]?.text).toMatch(
        /one run has begun within 10 s.* "smtp" allows.* in (8\.\d|9) s\. Runs of one process wait for it$/,
      );
    }
    await clock.until(Promise.all(waiting), 60_000);
  });

  test("the first run with a rate keeps older versions out of the store", async () => {
    await clock.until(work(one, "a", { rate: SMTP }), 20_000);
    const formats = await openChannel(FORMATS, { backend: one.way, clock });
    expect(await formats.get(["format"])).toMatchObject({ wrote: 2, reads: 2 });
  });

  test("a start with a free token makes two calls more than its commits, and waits make no hot loop", async () => {
    await clock.until(work(one, "before", { rate: SMTP }), 20_000);
    const calls: unknown[] = [];
    two.way.fault = (call) => {
      calls.push(call);
      return undefined;
    };
    const run = await clock.until(two.manager.start("a", { rate: SMTP }));
    const ofStart = calls.length;
    await clock.until((run as Run).end());
    expect(ofStart).toBeLessThan(5);
    await clock.until(work(one, "b", { rate: SMTP }));
    calls.length = 0;
    await clock.until(work(two, "c", { rate: SMTP }), 60_000);
    expect(calls.length).toBeLessThan(40);
  });

  test("the runs of a name that wait for permits and a rate share a place in line, and need few calls", async () => {
    const shape = { permits: { smtp: 4 }, rate: { name: "smtp", max: 20, per: 1_000 } };
    let calls = 0;
    for (const { way } of [one, two]) {
      way.fault = () => {
        calls++;
        return undefined;
      };
    }
    // Like the workers of a queue, each process has two starts under way.
    let left = 60;
    const lane = async (by: ManagerOf): Promise<void> => {
      while (left > 0) await work(by, "mail", { ...shape, lock: `mail/${left--}` });
    };
    const lanes = [one, two, one, two].map(lane);
    await clock.advance(1_500);
    const lines = (await one.manager.heldLocks()).filter(({ name }) => name.startsWith("ojm "));
    for (const { waiting } of lines) expect(waiting).toBeLessThan(2);
    await clock.until(Promise.all(lanes), 60_000);
    expect(most(1_000)).toBeLessThanOrEqual(20);
    expect(calls / began.length).toBeLessThan(9);
  });

  test("an option that is not a rate is rejected", async () => {
    for (const rate of [
      "smtp",
      {},
      { name: "", max: 1, per: 1 },
      { name: "a", max: 0, per: 1 },
      { name: "a", max: 10_001, per: 1 },
      { name: "a", max: 1.5, per: 1 },
      { name: "a", max: 1, per: 0 },
      { name: "a", max: 1, per: "31d" },
      { name: "a", max: 1, per: "1m", burst: 2 },
    ]) {
      expect(await rejection(one.manager.run("x", () => {}, { rate } as never))).toMatchObject({ code: "INVALID" });
    }
  });
});
