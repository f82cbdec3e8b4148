import type { Run } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../../core/src/testing/fake-clock.js";
import { collect, rejection } from "../../core/src/testing/settle.js";
import { type ManagerOf, World } from "../../core/src/testing/world.js";
import type { Alerts } from "./alerts.js";
import { openWith } from "./open.js";
import { OWN_NAME } from "./rules/checked-rule.js";
import { FakeReceiver } from "./testing/receiver.js";
import type { Rule } from "./types.js";

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

let world: World;
let clock: FakeClock;
let receiver: FakeReceiver;
let one: ManagerOf;
let two: ManagerOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  receiver = new FakeReceiver();
  one = await world.manager();
  two = await world.manager();
});

const to = { webhook: "https://example.com/hook" };

/** Opens alerts and waits for their first check. */
async function open(rule: Partial<Rule> = {}, { manager } = one, by = receiver): Promise<Alerts> {
  const rules = [{ on: ["failed", "lost", "timeout"], to, ...rule } as Rule];
  const alerts = await clock.until(openWith(manager, { rules, clock }, by.send));
  await clock.advance(SECOND);
  return alerts;
}

const fail = (name: string, { manager } = one, text = "no"): Promise<unknown> =>
  clock.until(rejection(manager.run(name, () => Promise.reject(new Error(text)))));

const succeed = (name: string, { manager } = one): Promise<unknown> => clock.until(manager.run(name, () => {}));

/** Waits for a check after an event. */
const soon = (): Promise<void> => clock.advance(SECOND);

test("with url, an alert has the link to its run in the UI, and one of missed ticks that to its job", async () => {
  const rules: Rule[] = [{ on: ["failed", "missed"], to }];
  const options = { rules, clock, url: "https://ops.example.com/ojm?x=1" };
  await clock.until(openWith(one.manager, options, receiver.send));
  await fail("a/b");
  await soon();
  await using scheduler = openScheduler(two.manager, { clock });
  await clock.until(scheduler.add("nightly", { every: HOUR, missed: "none" }, () => {}));
  await clock.until(scheduler.close());
  await clock.advance(2 * HOUR);
  const [{ run = "" } = {}] = receiver.taken;
  expect(receiver.taken.map(({ kind, link }) => [kind, link])).toEqual([
    ["failed", `https://ops.example.com/ojm/runs/${encodeURIComponent(run)}`],
    ["missed", "https://ops.example.com/ojm/jobs/nightly"],
  ]);
});

test("without url, an alert has no link", async () => {
  await open();
  await fail("a");
  await soon();
  expect(receiver.taken).toHaveLength(1);
  expect(receiver.taken[0]).not.toHaveProperty("link");
});

test("a delivery can have the last lines of the log of its run, 10 KB of them at most", async () => {
  const tails: string[] = [];
  const { send } = receiver;
  const told: Partial<FakeReceiver> = {
    send: async (to, alert, options) => {
      tails.push((await options.logTail?.(alert.run ?? "")) ?? "none");
      return send(to, alert, options);
    },
  };
  await open({}, one, told as FakeReceiver);
  const body = (run: Run): Promise<never> => {
    for (let i = 0; i < 500; i++) run.log.info(`line ${i} ${"é".repeat(100)}`);
    return Promise.reject(new Error("no"));
  };
  await clock.until(rejection(one.manager.run("a", body)));
  await soon();
  expect(tails[0]).toMatch(/^é* ?.*\nline 4/);
  expect(tails[0]).toMatch(/line 499 é+$/);
  expect(Buffer.byteLength(tails[0] ?? "")).toBeGreaterThan(9_900);
  expect(Buffer.byteLength(tails[0] ?? "")).toBeLessThanOrEqual(10_000);
});

describe("close with a limit", () => {
  test("breaks off a delivery that takes longer, and the next process delivers", async () => {
    receiver.answer = () => new Promise(() => {});
    const { send } = receiver;
    const hanging: Partial<FakeReceiver> = {
      send: (to, alert, options) =>
        Promise.race([
          send(to, alert, options),
          new Promise<{ type: "later"; why: string }>((resolve) => {
            options.signal.addEventListener("abort", () => resolve({ type: "later", why: "it was stopped" }));
          }),
        ]),
    };
    const alerts = await open({}, one, hanging as FakeReceiver);
    await fail("a");
    await soon();
    const before = clock.now();
    await clock.until(alerts.close({ wait: 5_000 }));
    expect(clock.now() - before).toBeLessThan(6_000);
    expect(await clock.until(alerts.waiting())).toBe(1);
    receiver.answer = () => ({ type: "taken" });
    await open({}, two);
    await clock.advance(MINUTE);
    expect(receiver.reported).toEqual(["failed a"]);
  });

  test("waits for another process that delivers, which may have looked before", async () => {
    let release = (): void => {};
    receiver.answer = () => new Promise((resolve) => (release = () => resolve({ type: "taken" })));
    await open();
    const alerts = await open({}, two);
    await fail("a");
    await soon();
    await fail("b", two);
    const closed = alerts.close({ wait: MINUTE });
    await clock.advance(SECOND);
    receiver.answer = () => ({ type: "taken" });
    release();
    await clock.until(closed);
    expect(receiver.reported).toEqual(["failed a", "failed b"]);
    expect(await clock.until(alerts.waiting())).toBe(0);
  });
});

describe("what is reported", () => {
  test("a run that failed is reported once, with the facts about it", async () => {
    await open();
    await fail("a");
    await soon();
    await clock.advance(HOUR);
    expect(receiver.taken).toEqual([
      {
        id: expect.stringMatching(/^msg_[\w-]{27}$/),
        kind: "failed",
        rule: expect.any(String),
        run: expect.stringMatching(/^a@2030-/),
        name: "a",
        status: "failed",
        error: expect.stringContaining("no"),
        host: expect.any(String),
        started: expect.any(String),
        ended: expect.any(String),
        duration: expect.any(Number),
        streak: 1,
      },
    ]);
  });

  test("what happened before a rule existed is not reported", async () => {
    await fail("a");
    await clock.advance(1);
    await open();
    await clock.advance(HOUR);
    expect(receiver.reported).toEqual([]);
  });

  test("jobs that a rule does not name, and runs that end well, are not reported", async () => {
    await open({ jobs: ["nightly-*", "b"] });
    for (const name of ["nightly-", "nightly-x", "a nightly-x", "b", "bb"]) await fail(name);
    await succeed("b");
    await soon();
    expect(receiver.reported.toSorted()).toEqual(["failed b", "failed nightly-", "failed nightly-x"]);
  });

  test("a run that took too long is reported as its timeout, a cancelled one is not reported", async () => {
    await open();
    await clock.until(rejection(one.manager.run("slow", () => new Promise(() => {}), { timeout: SECOND })));
    await clock.until((await one.manager.start("c")).cancel("x"));
    await soon();
    expect(receiver.reported).toEqual(["timeout slow"]);
  });

  test("with after, the second failure in a row is reported, and each one from then on", async () => {
    await open({ after: 2 });
    for (const run of [fail, succeed, fail, fail, fail]) {
      await run("a");
      await soon();
    }
    expect(receiver.taken.map(({ streak }) => streak)).toEqual([2, 3]);
  });

  describe("with retries", () => {
    const policy = { attempts: 3, delay: MINUTE, backoff: "fixed" } as const;
    const chain = (failures: number): Promise<unknown> => {
      let tries = 0;
      const body = (): void => {
        if (++tries <= failures) throw new Error(`try ${tries}`);
      };
      return clock.until(one.manager.run("a", body, { retry: policy }).catch(() => {}));
    };

    test("only the last attempt is reported, and a chain counts once", async () => {
      await open({ on: ["failed", "recovered"] });
      await chain(2);
      await clock.advance(HOUR);
      expect(receiver.reported).toEqual([]);
      await chain(3);
      await clock.advance(HOUR);
      await chain(3);
      await clock.advance(HOUR);
      await chain(0);
      await clock.advance(HOUR);
      expect(receiver.reported).toEqual(["failed a", "failed a", "recovered a"]);
      const [first, second] = receiver.taken;
      expect(first).toMatchObject({ attempt: 3, attempts: 3, streak: 1, error: expect.stringContaining("try 3") });
      expect(second).toMatchObject({ attempt: 3, streak: 2 });
    });

    test("an attempt whose next one no process makes is reported", async () => {
      await open({}, two);
      const running = one.manager.run("a", () => Promise.reject(new Error("no")), { retry: policy });
      running.catch(() => {});
      await clock.advance(SECOND);
      one.way.fault = () => ({ type: "refused" });
      await clock.advance(5 * MINUTE);
      expect(receiver.reported).toEqual([]);
      await clock.advance(HOUR);
      expect(receiver.reported).toEqual(["failed a"]);
      expect(receiver.taken[0]).toMatchObject({ attempt: 1, attempts: 3 });
    });
  });

  test("a job that recovers is reported once, if its failure was reported", async () => {
    await open({ on: ["failed", "recovered"], after: 2 });
    for (const run of [fail, succeed, fail, fail, succeed, succeed]) {
      await run("a");
      await soon();
    }
    expect(receiver.reported).toEqual(["failed a", "recovered a"]);
    expect(receiver.taken[1]).toMatchObject({ status: "completed", streak: 2 });
  });

  test("failures and recoveries that one check finds are reported in their order", async () => {
    await open({ on: ["failed", "recovered"] }, two);
    const away = new Promise<void>((resolve) => {
      clock.after(MINUTE, resolve);
    });
    receiver.answer = async () => {
      await away;
      return { type: "taken" };
    };
    await fail("first");
    await soon();
    for (const run of [fail, succeed, fail, succeed]) {
      await run("a");
      await clock.advance(1);
    }
    await clock.advance(2 * MINUTE);
    expect(receiver.reported).toEqual(["failed first", "failed a", "recovered a", "failed a", "recovered a"]);
  });

  test("a run that takes too long is reported once while it is running", async () => {
    await open({ on: ["long"], longer: HOUR });
    const run = await clock.until(one.manager.start("a", { timeout: 10 * HOUR }));
    await clock.advance(HOUR - MINUTE);
    expect(receiver.reported).toEqual([]);
    await clock.advance(3 * MINUTE);
    expect(receiver.reported).toEqual(["long a"]);
    await clock.advance(HOUR);
    await clock.until(run.end());
    await clock.advance(HOUR);
    expect(receiver.reported).toEqual(["long a"]);
  });

  test("starts and ends that went well are reported in their order", async () => {
    await open({ on: ["started", "completed", "failed"] });
    const run = await clock.until(one.manager.start("a"));
    await soon();
    expect(receiver.reported).toEqual(["started a"]);
    await clock.until(run.end());
    await succeed("b");
    await clock.advance(1);
    await fail("c");
    await soon();
    expect(receiver.reported).toEqual([
      "started a",
      "completed a",
      "started b",
      "completed b",
      "started c",
      "failed c",
    ]);
  });

  test("the run that delivers is never reported", async () => {
    await open({ on: ["started", "completed", "failed", "lost"] });
    await fail(OWN_NAME);
    await clock.advance(MINUTE);
    expect(receiver.reported).toEqual([]);
  });

  test("a process that dies at its work is reported as lost by another one", async () => {
    await open({}, two);
    await clock.until(one.manager.start("a"));
    one.way.fault = () => ({ type: "refused" });
    await clock.advance(10 * MINUTE);
    expect(receiver.reported).toEqual(["lost a"]);
  });
});

describe("nothing is lost", () => {
  test("a receiver that takes nothing for a minute gets all alerts, in their order, under one id each", async () => {
    await open();
    receiver.answer = () => ({ type: "later", why: "it answered 503" });
    for (const name of ["a", "b", "c"]) {
      await fail(name);
      await clock.advance(10 * SECOND);
    }
    await clock.advance(MINUTE);
    expect(receiver.reported).toEqual([]);
    const before = receiver.tried.length;
    // The pauses grow: for three alerts in a minute and a half, there is far less than one attempt a second.
    expect(before).toBeLessThan(8);
    receiver.answer = () => ({ type: "taken" });
    await clock.advance(5 * MINUTE);
    expect(receiver.reported).toEqual(["failed a", "failed b", "failed c"]);
    expect(new Set(receiver.tried.map(({ id }) => id)).size).toBe(3);
  });

  test("a process that dies between the end of a run and its alert leaves it to another one", async () => {
    await open();
    receiver.answer = () => new Promise(() => {});
    await fail("a");
    await soon();
    expect(receiver.tried).toHaveLength(1);
    one.way.fault = () => ({ type: "refused" });
    const other = new FakeReceiver();
    await open({}, two, other);
    await clock.advance(10 * MINUTE);
    expect(other.reported).toEqual(["failed a"]);
    expect(other.taken[0]?.id).toBe(receiver.tried[0]?.id);
  });

  test("what failed while no process had alerts is reported by the next one", async () => {
    const alerts = await open();
    await clock.until(alerts.close());
    await fail("a");
    await clock.advance(HOUR);
    await open();
    await clock.advance(MINUTE);
    expect(receiver.reported).toEqual(["failed a"]);
  });

  test("a rule that was changed begins where the last look was", async () => {
    const alerts = await open();
    await clock.until(alerts.close());
    await fail("a");
    await clock.advance(HOUR);
    await open({ after: 1 });
    await clock.advance(MINUTE);
    expect(receiver.reported).toEqual(["failed a"]);
  });

  test("a run that ended by a clock that is behind is reported, and one by a clock that is ahead hides nothing", async () => {
    await open();
    const behind = await clock.until(one.manager.start("behind"));
    await clock.advance(20 * MINUTE);
    const end = async (name: string, skew: number, begun?: Run): Promise<void> => {
      const run = begun ?? (await clock.until(one.manager.start(name)));
      clock.wall += skew;
      await clock.until(run.fail(new Error("no")));
      clock.wall -= skew;
      await soon();
    };
    await end("right", 0);
    await end("ahead", 5 * HOUR);
    await clock.advance(MINUTE);
    await end("behind", -5 * MINUTE, behind);
    await clock.advance(MINUTE);
    expect(receiver.reported.toSorted()).toEqual(["failed ahead", "failed behind", "failed right"]);
    await clock.advance(10 * HOUR);
    expect(receiver.reported).toHaveLength(3);
  });

  test("close delivers what ended before it", async () => {
    const alerts = await open();
    await fail("a");
    await clock.until(alerts.close());
    expect(receiver.reported).toEqual(["failed a"]);
  });

  test("an outbox that is full drops the oldest, and the next alert says how many", { tags: ["full"] }, async () => {
    await open();
    receiver.answer = () => ({ type: "later", why: "it answered 503" });
    for (let i = 0; i < 1_005; i++) {
      await fail(`job ${i}`);
      await clock.advance(1);
    }
    await soon();
    receiver.answer = () => ({ type: "taken" });
    await clock.advance(HOUR / 2);
    const dropped = receiver.taken.reduce((sum, alert) => sum + (alert.dropped ?? 0), 0);
    expect(receiver.taken.at(-1)?.name).toBe("job 1004");
    expect(receiver.taken).toHaveLength(1_000);
    expect(dropped).toBe(5);
  });

  test("after a day without a receiver, its alerts are given up with a warning", async () => {
    const warnings: string[] = [];
    const note = ({ message }: Error): void => void warnings.push(message);
    process.on("warning", note);
    await open();
    receiver.answer = () => ({ type: "later", why: "it answered 503" });
    await fail("a");
    await clock.advance(26 * HOUR);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    expect(warnings).toContainEqual(expect.stringMatching(/about a@.* was given up: it answered 503/));
    receiver.answer = () => ({ type: "taken" });
    await clock.advance(3 * HOUR);
    expect(receiver.reported).toEqual([]);
  });

  test("an alert that is refused does not hold up the others", async () => {
    await open();
    receiver.answer = ({ name }) => (name === "a" ? { type: "refused", why: "it answered 400" } : { type: "taken" });
    for (const name of ["a", "b"]) {
      await fail(name);
      await clock.advance(1);
    }
    await soon();
    expect(receiver.reported).toEqual(["failed b"]);
    receiver.answer = () => ({ type: "taken" });
    await clock.advance(HOUR);
    expect(receiver.reported).toEqual(["failed b", "failed a"]);
  });

  test("a receiver that is gone gets nothing more", async () => {
    await open();
    receiver.answer = () => ({ type: "gone", why: "it answered 410" });
    await fail("a");
    await clock.advance(HOUR);
    expect(receiver.tried).toHaveLength(1);
  });
});

describe("many processes", () => {
  test("each alert is sent by one of them, once", async () => {
    await open();
    await open({}, two);
    for (let i = 0; i < 5; i++) {
      await fail("a", one);
      await fail("b", two);
    }
    await clock.advance(10 * MINUTE);
    expect(receiver.tried).toHaveLength(10);
    expect(new Set(receiver.tried.map(({ id }) => id)).size).toBe(10);
  });

  test("while one of them delivers, no other one does", async () => {
    receiver.answer = () =>
      new Promise((resolve) => {
        clock.after(5 * SECOND, () => resolve({ type: "taken" }));
      });
    await open();
    await open({}, two);
    for (let i = 0; i < 3; i++) {
      await fail("a", one);
      await clock.advance(SECOND);
      await fail("b", two);
    }
    await clock.advance(10 * MINUTE);
    expect(receiver.tried).toHaveLength(6);
    expect(new Set(receiver.tried.map(({ id }) => id)).size).toBe(6);
  });

  test("while another process holds the managed run, alerts wait, and processes do not request it all the time", async () => {
    await open();
    await clock.until(two.manager.hold(OWN_NAME, { reason: "the receiver moves" }));
    for (let i = 0; i < 5; i++) await fail("a");
    const reads = (): number => one.way.reads;
    const before = reads();
    await clock.advance(HOUR);
    expect(receiver.tried).toEqual([]);
    expect(reads() - before).toBeLessThan(5_000);
    await clock.until(two.manager.unlock(OWN_NAME, { reason: "done" }));
    await clock.advance(MINUTE);
    expect(receiver.taken).toHaveLength(5);
  });

  test("while a receiver is away, looks are as many after a hundred alerts as after one", async () => {
    await open();
    receiver.answer = () => ({ type: "later", why: "it answered 503" });
    for (let i = 0; i < 100; i++) {
      await fail("a");
      await clock.advance(50);
    }
    const before = one.way.reads;
    await clock.advance(MINUTE);
    expect(one.way.reads - before).toBeLessThan(300);
  });

  test("no records, and few commits, come of an hour in which nothing happens", async () => {
    await open();
    const all = [one, ...(await Promise.all(Array.from({ length: 10 }, () => world.manager())))];
    for (const each of all.slice(1)) await open({}, each);
    const commits = (): number =>
      all.flatMap(({ way }) => way.commits).filter((each) => JSON.stringify(each).includes("alerts")).length;
    const before = commits();
    await clock.advance(HOUR);
    expect(await clock.until(collect(one.manager.history({ name: OWN_NAME })))).toEqual([]);
    expect(commits() - before).toBeLessThan(200);
  });

  test("rules with the same id report once what one of them reported already", async () => {
    await open({ id: "pager" });
    await open({ id: "pager", on: ["failed"] }, two);
    await fail("a");
    await clock.advance(MINUTE);
    expect(receiver.reported).toEqual(["failed a"]);
  });
});
