import { beforeEach, describe, expect, test } from "vitest";
import { openChannel } from "../../channel/open.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { collect, rejection } from "../../testing/settle.js";
import { type ManagerOf, STORES, World } from "../../testing/world.js";
import { FORMATS } from "../format.js";
import type { Run, RunOptions } from "../types.js";

const TTL = 15_000;
const WAIT = { wait: "1h" } as const;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe.each(STORES)("records and locks $stores: permits", ({ apart }) => {
  let one: ManagerOf;
  let two: ManagerOf;
  /** The names of the bodies that run, the most at once, and the names in the order of their starts. */
  let inside: Set<string>;
  let most: number;
  let began: string[];

  beforeEach(async () => {
    [one, two] = [await world.manager({ apart }), await world.manager({ apart })];
    [inside, most, began] = [new Set(), 0, []];
  });

  const work = ({ manager }: ManagerOf, name: string, options: RunOptions, ms = 1_000): Promise<unknown> => {
    const body = async (run: Run): Promise<void> => {
      inside.add(name);
      began.push(name);
      most = Math.max(most, inside.size);
      await new Promise<void>((resolve) => {
        clock.after(ms, resolve);
        run.signal.addEventListener("abort", () => resolve());
      });
      inside.delete(name);
    };
    return manager.run(name, body, { ...WAIT, ...options });
  };

  /** Nothing of the permits, and of the lines for them, stays in the store. */
  const nothingLeft = async (): Promise<void> => {
    await clock.advance(1_000);
    expect(await two.manager.channels.locks.size({ prefix: ["permit"] })).toBe(0);
    expect(await two.manager.channels.locks.size({ prefix: ["lock"] })).toBe(0);
  };

  test("of many runs in two processes, as many have the permit at once as there are, and all come to an end", async () => {
    const all = Array.from({ length: 12 }, (_, i) =>
      work(i % 2 === 0 ? one : two, `n${i}`, { permits: { stripe: 3 } }),
    );
    await clock.until(Promise.all(all), 60_000);
    expect(most).toBe(3);
    expect(began).toHaveLength(12);
    const [record] = await collect(two.manager.history({ name: "n0" }));
    expect(record).toMatchObject({ status: "completed", permits: { stripe: 3 } });
    await nothingLeft();
  });

  test("runs with the same permits start in order of arrival, and a newcomer passes none", async () => {
    const permits = { stripe: 1, tenant: 1 };
    const all = [work(one, "first", { permits })];
    await clock.advance(100);
    for (const [i, manager] of [two, one, two].entries()) {
      all.push(work(manager, `n${i}`, { permits }));
      await clock.advance(100);
    }
    expect(await clock.until(rejection(one.manager.run("late", () => {}, { permits, wait: 0 })))).toMatchObject({
      code: "LOCKED",
    });
    await clock.until(Promise.all(all), 60_000);
    expect(began).toEqual(["first", "n0", "n1", "n2"]);
    expect(most).toBe(1);
    await nothingLeft();
  });

  test("without a free permit, a run that does not wait is rejected, and the error names the holders", async () => {
    const run = await clock.until(one.manager.start("a", { permits: { stripe: 1 } }));
    const error = await clock.until(rejection(two.manager.run("b", () => {}, { permits: { stripe: 1 }, wait: 0 })));
    expect(error).toMatchObject({ code: "LOCKED", job: "b" });
    expect((error as Error).message).toContain(`the permit "stripe" is taken, by ${run.id} on `);
    const late = await clock.until(
      rejection(two.manager.run("b", () => {}, { permits: { stripe: 1 }, wait: 700 })),
      5_000,
    );
    expect((late as Error).message).toContain(`the permit "stripe" is taken, by ${run.id} on `);
    expect(await collect(two.manager.history({ name: "b" }))).toEqual([]);
    await clock.until(run.end());
    await nothingLeft();
  });

  test("a wait for a permit ends with its signal, and at the close of its manager", async () => {
    const run = await clock.until(one.manager.start("a", { permits: { stripe: 1 } }));
    const stop = new AbortController();
    const cancelled = rejection(
      two.manager.run("b", () => {}, { permits: { stripe: 1 }, ...WAIT, signal: stop.signal }),
    );
    const closed = rejection(two.manager.run("c", () => {}, { permits: { stripe: 1 }, ...WAIT }));
    await clock.advance(1_000);
    stop.abort();
    expect(await clock.until(cancelled)).toMatchObject({ code: "CANCELLED" });
    await clock.until(two.manager.close(), 30_000);
    expect(await clock.until(closed)).toMatchObject({ code: "CLOSED" });
    await clock.until(run.end());
    await clock.advance(1_000);
    expect(await one.manager.channels.locks.size({ prefix: ["lock"] })).toBe(0);
  });

  test("sets that cross do not deadlock", async () => {
    const sets = [{ a: 1, b: 1 }, { b: 1, c: 1 }, { c: 1, a: 1 }, { a: 1 }, { a: 1, b: 1, c: 1 }];
    const all = Array.from({ length: 20 }, (_, i) =>
      work(i % 2 === 0 ? one : two, `n${i}`, { permits: sets[i % sets.length] as Record<string, number> }, 200),
    );
    await clock.until(Promise.all(all), 120_000);
    expect(began).toHaveLength(20);
    await nothingLeft();
  });

  test("a run that waits for one permit does not keep others from the rest of its permits", async () => {
    const all = [work(one, "slow", { permits: { stripe: 5, "tenant/1": 1 } }, 20_000)];
    await clock.advance(100);
    all.push(work(two, "behind", { permits: { stripe: 5, "tenant/1": 1 } }));
    await clock.advance(1_000);
    const other = work(two, "other", { permits: { stripe: 5, "tenant/2": 1 } });
    await clock.advance(1_500);
    expect(began).toEqual(["slow", "other"]);
    await clock.until(Promise.all([...all, other]), 60_000);
    expect(began).toEqual(["slow", "other", "behind"]);
    await nothingLeft();
  });

  test("a run that waits for its lock does not keep others from its permits", async () => {
    const all = [work(one, "a", {}, 20_000)];
    await clock.advance(100);
    all.push(work(two, "a", { permits: { stripe: 1 } }));
    await clock.advance(1_000);
    all.push(work(one, "b", { permits: { stripe: 1 } }));
    await clock.advance(1_500);
    expect(began).toEqual(["a", "b"]);
    await clock.until(Promise.all(all), 60_000);
    await nothingLeft();
  });

  test("the permits of a dead process are free once its session is over", async () => {
    await clock.until(one.manager.start("a", { permits: { stripe: 1 } }));
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    const since = clock.monotonic();
    await clock.until(work(two, "b", { permits: { stripe: 1 } }), 60_000);
    expect(clock.monotonic() - since).toBeLessThan(TTL + 5_000);
    await nothingLeft();
  });

  test("a dead process leaves no permit in the store, even if no run wants it", async () => {
    await clock.until(one.manager.start("a", { permits: { "tenant/1": 2, stripe: 3 } }));
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    await clock.advance(4 * TTL);
    await nothingLeft();
  });

  test("the wait for a permit may be longer than that for the lock", async () => {
    const run = await clock.until(one.manager.start("a", { permits: { stripe: 1 } }));
    const waiting = two.manager.run("b", () => {}, { wait: 0, permits: { stripe: 1 }, permitWait: "1h" });
    const error = await clock.until(rejection(two.manager.run("a", () => {}, { wait: 0, permits: { stripe: 2 } })));
    expect(error).toMatchObject({ code: "LOCKED", permit: undefined });
    const impatient = rejection(two.manager.run("c", () => {}, { permits: { stripe: 1 }, permitWait: 0 }));
    expect(await clock.until(impatient)).toMatchObject({ code: "LOCKED", permit: "stripe" });
    await clock.advance(600_000);
    await clock.until(run.end());
    await clock.until(waiting, 5_000);
    await nothingLeft();
  });

  test("a place in line of a dead process does not stop the line", async () => {
    const three = await world.manager({ apart });
    const run = await clock.until(three.manager.start("a", { permits: { stripe: 1 } }));
    void work(one, "b", { permits: { stripe: 1 } }).catch(() => {});
    await clock.advance(1_000);
    const next = work(two, "c", { permits: { stripe: 1 } });
    await clock.advance(1_000);
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    await clock.until(run.end());
    await clock.until(next, 60_000);
    expect(began).toEqual(["c"]);
  });

  test("a forced unlock returns the permits of the run", async () => {
    await clock.until(one.manager.start("a", { permits: { stripe: 1 } }));
    await clock.until(two.manager.unlock("a", { reason: "stuck" }));
    await clock.until(
      two.manager.run("b", () => {}, { permits: { stripe: 1 }, wait: 1_000 }),
      5_000,
    );
    await nothingLeft();
  });

  test("a permit is free if the lock of its run was removed from the store, even before any process notices it", async () => {
    await clock.until(one.manager.start("a", { permits: { stripe: 1 } }));
    await clock.until(one.manager.channels.locks.unset(["lock", "a"]));
    await clock.until(two.manager.run("b", () => {}, { permits: { stripe: 1 }, wait: 0 }));
    await nothingLeft();
  });

  test("a permit that is free is not for a run behind the place in line of a dead process", async () => {
    const run = await clock.until(two.manager.start("a", { permits: { stripe: 1 } }));
    void work(one, "b", { permits: { stripe: 1 } }).catch(() => {});
    await clock.advance(1_000);
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    await clock.until(run.end());
    const error = await clock.until(rejection(two.manager.run("c", () => {}, { permits: { stripe: 1 }, wait: 0 })));
    expect(error).toMatchObject({ code: "LOCKED", permit: "stripe" });
    expect((error as Error).message).toMatch(/other runs are ahead in the line for the permit "stripe"$/);
    await clock.until(work(two, "c", { permits: { stripe: 1 } }), 60_000);
  });

  test("a limit that is set replaces those of the runs: holders keep theirs, and a raise wakes the line", async () => {
    const runs = [
      await clock.until(one.manager.start("a", { permits: { stripe: 2 } })),
      await clock.until(one.manager.start("b", { permits: { stripe: 2 } })),
    ];
    await clock.until(two.manager.limit("stripe", 1));
    expect(runs.every(({ signal }) => !signal.aborted)).toBe(true);
    await clock.until((runs[0] as Run).end());
    const waiting = work(two, "c", { permits: { stripe: 2 } }, 10_000);
    await clock.advance(2_000);
    expect(began).toEqual([]);
    await clock.until(one.manager.limit("stripe", 2));
    await clock.advance(100);
    expect(began).toEqual(["c"]);
    await clock.until(one.manager.limit("stripe", 0));
    await clock.until(Promise.all([(runs[1] as Run).end(), waiting]), 20_000);
    const none = await clock.until(rejection(two.manager.run("d", () => {}, { permits: { stripe: 2 }, wait: 0 })));
    expect((none as Error).message).toContain('the limit of the permit "stripe" is 0');
    await clock.until(one.manager.limit("stripe", undefined));
    await clock.until(work(two, "d", { permits: { stripe: 2 } }), 20_000);
    await nothingLeft();
  });

  test("an attempt that waits for minutes keeps its place in line, and notices that it was cancelled", async () => {
    const permits = { stripe: 1 };
    const retry = { attempts: 2, delay: "1s", backoff: "fixed" } as const;
    let attempt = 0;
    const body = ({ name }: Run): void => {
      began.push(name);
      if (++attempt === 1) throw new Error("once");
    };
    const retried = one.manager.run("a", body, { permits, retry });
    await clock.advance(500);
    const run = await clock.until(two.manager.start("b", { permits }));
    await clock.advance(90_000);
    const later = work(two, "c", { permits });
    await clock.advance(90_000);
    await clock.until(run.end());
    await clock.until(Promise.all([retried, later]), 60_000);
    expect(began).toEqual(["a", "a", "c"]);

    const failing = rejection(one.manager.run("a", () => Promise.reject(new Error("no")), { permits, retry }));
    await clock.advance(500);
    const other = await clock.until(two.manager.start("b", { permits }));
    await clock.advance(10_000);
    await clock.until(two.manager.cancel("a", { reason: "not needed" }));
    expect(await clock.until(failing, 70_000)).toMatchObject({ code: "CANCELLED" });
    await clock.until(other.end());
    await nothingLeft();
  });

  test("the next attempt of a retried run takes the same permits", async () => {
    let tries = 0;
    const body = async (run: Run): Promise<number> => {
      const [taken] = await collect(two.manager.channels.locks.entries({ prefix: ["permit", "stripe", 0] }));
      expect(taken?.version).toBe(run.fence);
      if (++tries < 2) throw new Error("not yet");
      return tries;
    };
    const retry = { attempts: 3, delay: 1_000 };
    const { record } = await clock.until(one.manager.run("a", body, { permits: { stripe: 1 }, retry }), 60_000);
    expect(record).toMatchObject({ attempt: 2, permits: { stripe: 1 } });
    await nothingLeft();
  });

  test("why says for which permit a job waits, who has it, and how many wait", async () => {
    await clock.until(work(one, "b", { permits: { stripe: 1 } }), 20_000);
    const run = await clock.until(one.manager.start("a", { permits: { stripe: 1 } }));
    const waiting = work(two, "b", { permits: { stripe: 1 } });
    await clock.advance(1_000);
    const reason = (await two.manager.why("b")).find(({ code }) => code === "permit");
    expect(reason?.text).toContain(`the permit "stripe" is taken, by ${run.id}`);
    expect(reason?.text).toMatch(/One run waits for one$/);
    await clock.until(run.end());
    await clock.until(waiting, 20_000);
  });

  test("why says for which permit the first run of a job waits", async () => {
    const run = await clock.until(one.manager.start("a", { permits: { stripe: 1 } }));
    const waiting = ["first", "second", "third"].map((name) => work(two, name, { permits: { stripe: 1, other: 2 } }));
    await clock.advance(1_000);
    for (const name of ["first", "second", "third"]) {
      const reasons = await one.manager.why(name);
      expect(reasons.map(({ code }) => code)).toEqual(["permit", "never"]);
      expect(reasons[0]?.text).toContain(`the permit "stripe" is taken, by ${run.id}`);
    }
    expect((await one.manager.why("fourth")).map(({ code }) => code)).toEqual(["never"]);
    // The note of a lock that is not a line is that of a program.
    for (const name of ["a program", "the program"])
      await one.manager.channels.locks.set(["lock", name], { note: { for: "noted", permits: { stripe: 1 } } } as never);
    expect((await one.manager.why("noted")).map(({ code }) => code)).toEqual(["never"]);
    await clock.until(run.end());
    await clock.until(Promise.all(waiting), 20_000);
  });

  test("the runs that wait for a permit, for a set of permits and for a rate are listed, and the permits", async () => {
    const rate = { name: "smtp", max: 1, per: "1h" };
    const run = await clock.until(one.manager.start("a", { permits: { stripe: 1 }, rate }));
    await clock.until(one.manager.limit("idle", 3, { author: "ana" }));
    const both = { permits: { stripe: 1, other: 2 } };
    const since = clock.now();
    const waiting = [work(two, "b", both), work(two, "d", { permits: { stripe: 1 } })];
    await clock.advance(100);
    waiting.push(work(one, "c", both), work(two, "e", { rate, wait: "2h" }), work(two, "f", { rate, wait: "2h" }));
    await clock.advance(1_000);
    const found = await two.manager.limitWaiters();
    expect(found.toSorted((x, y) => (x.name < y.name ? -1 : 1))).toEqual([
      { name: "b", permits: ["stripe"], since: expect.any(Number) },
      { name: "c", permits: ["other", "stripe"], since: expect.any(Number) },
      { name: "d", permits: ["stripe"], since: expect.any(Number) },
      { name: "e", rate: "smtp", since: expect.any(Number) },
      { name: "f", rate: "smtp" },
    ]);
    for (const { since: at = since } of found) expect([at >= since, at <= clock.now()]).toEqual([true, true]);
    expect(await two.manager.permits()).toEqual([
      { name: "idle", limit: 3, held: 0, runs: [], waiting: 0 },
      { name: "other", held: 0, runs: [], waiting: 1 },
      { name: "stripe", held: 1, runs: [run.id], waiting: 3 },
    ]);
    expect(await collect(two.manager.audit({ name: "idle" }))).toMatchObject([
      { action: "limit", author: "ana", details: { limit: 3 } },
    ]);
    await clock.until(one.manager.limit("idle", undefined));
    expect(await collect(two.manager.audit({ name: "idle" }))).toHaveLength(1);
    await clock.until(run.end());
    await clock.until(Promise.all(waiting), 3 * 3_600_000);
    expect([await two.manager.limitWaiters(), await two.manager.permits()]).toEqual([[], []]);
  });

  test("the first run with permits keeps older versions out of the store", async () => {
    await clock.until(work(one, "a", { permits: { stripe: 1 } }), 20_000);
    const formats = await openChannel(FORMATS, { backend: one.way, clock });
    expect(await formats.get(["format"])).toMatchObject({ wrote: 2, reads: 2 });
  });

  test("an option that is not a limit is rejected", async () => {
    for (const permits of [{}, { a: 0 }, { a: 1.5 }, { a: 1_001 }, { "": 1 }, "a"]) {
      const error = await rejection(one.manager.run("x", () => {}, { permits } as never));
      expect(error).toMatchObject({ code: "INVALID" });
    }
    expect(await rejection(one.manager.limit("a", -1))).toMatchObject({ code: "INVALID" });
  });
});
