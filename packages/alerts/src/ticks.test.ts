import { exportedSchedules, openScheduleImport, openScheduler, type Scheduler } from "@ojm/schedule";
import { beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../../core/src/testing/fake-clock.js";
import { collect } from "../../core/src/testing/settle.js";
import { type ManagerOf, World } from "../../core/src/testing/world.js";
import type { Alerts } from "./alerts.js";
import { openWith } from "./open.js";
import { FakeReceiver } from "./testing/receiver.js";
import type { Alert, Rule } from "./types.js";

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

let world: World;
let clock: FakeClock;
let receiver: FakeReceiver;
let runs: string[];

beforeEach(() => {
  world = new World();
  clock = world.clock;
  receiver = new FakeReceiver();
  runs = [];
});

const to = { webhook: "https://example.com/hook" };

async function watch(rule: Partial<Rule> = {}, one?: ManagerOf): Promise<Alerts> {
  const { manager } = one ?? (await world.manager());
  const rules = [{ on: ["missed"], to, ...rule } as Rule];
  const alerts = await clock.until(openWith(manager, { rules, clock }, receiver.send));
  await clock.advance(SECOND);
  return alerts;
}

async function schedule(definition: object = {}, name = "nightly", one?: ManagerOf): Promise<Scheduler> {
  const { manager } = one ?? (await world.manager());
  const scheduler = openScheduler(manager, { clock });
  const body = (run: { readonly id: string }): void => void runs.push(run.id);
  await clock.until(scheduler.add(name, { every: HOUR, ...definition }, body));
  return scheduler;
}

const close = (scheduler: Scheduler): Promise<unknown> => clock.until(scheduler.close());

const reported = (): string[] =>
  receiver.taken.map(({ kind, name, tick, count = 1 }) => `${kind} ${name} ${tick} ${count}`);

/** The time of the tick `hours` after the start of the world. */
const tick = (hours: number): string =>
  new Date(Math.ceil(world.clock.now() / HOUR) * HOUR + hours * HOUR).toISOString();

describe("ticks that were missed", () => {
  test("if no process lives, the first tick is reported once, by a process without a scheduler", async () => {
    const first = tick(0);
    await watch();
    await close(await schedule());
    await clock.advance(HOUR + 50 * SECOND);
    expect(reported()).toEqual([]);
    await clock.advance(5 * HOUR);
    expect(reported()).toEqual([`missed nightly ${first} 1`]);
    const [{ id, run, status, started, error } = {} as Alert] = receiver.taken;
    expect([id.slice(0, 4), run, status, started]).toEqual(["msg_", undefined, "missed", undefined]);
    expect(error).toContain("no process runs this schedule");
  });

  test("what a scheduler misses when it comes back is one alert, with how many ticks it was", async () => {
    const first = tick(0);
    const alerts = await watch();
    await close(await schedule({ missed: "none" }));
    await clock.until(alerts.close()); // no process checks, and none runs a tick
    await clock.advance(4 * HOUR + 5 * MINUTE);
    await close(await schedule({ missed: "none" }));
    await watch();
    await clock.advance(MINUTE);
    expect(reported()).toEqual([`missed nightly ${first} 4`]);
    expect(receiver.taken[0]?.until).toBe(tick(-1));
    expect(receiver.taken[0]?.error).toContain("in time");
  });

  test("the newest of the missed ticks, which is run late, is none of them", async () => {
    const alerts = await watch();
    await close(await schedule({ missed: "latest" }));
    await clock.until(alerts.close());
    await clock.advance(4 * HOUR + 5 * MINUTE);
    await schedule({ missed: "latest" });
    await clock.advance(SECOND);
    await watch();
    await clock.advance(MINUTE);
    expect(runs).toHaveLength(1);
    expect(receiver.taken.map(({ count }) => count)).toEqual([3]);
  });

  test("a late decision on ticks that were reported is not reported again", async () => {
    const first = tick(0);
    await watch();
    await close(await schedule({ missed: "none" }));
    await clock.advance(4 * HOUR + 5 * MINUTE);
    expect(reported()).toEqual([`missed nightly ${first} 1`]);
    await schedule({ missed: "none" });
    await clock.advance(3 * HOUR);
    expect(runs).toHaveLength(3);
    expect(reported()).toHaveLength(1);
  });

  test("ticks that come as missed with an imported schedule are not reported", async () => {
    const other = new World();
    const source = await other.manager();
    const scheduler = openScheduler(source.manager, { clock: other.clock });
    await other.clock.until(scheduler.add("nightly", { every: HOUR }, () => {}));
    await other.clock.until(scheduler.close());
    const all = exportedSchedules(source.manager, { clock: other.clock });
    const parts = await other.clock.until(collect(all));
    const { manager } = await world.manager();
    await watch();
    await clock.advance(4 * HOUR + 5 * MINUTE);
    const importer = await clock.until(openScheduleImport(manager, { clock }));
    for (const part of parts) await clock.until(importer.add(part));
    await clock.until(importer.flush());
    const [missed] = await clock.until(collect((await schedule()).ticks("nightly")));
    expect(missed).toMatchObject({ outcome: "missed", reason: "imported", count: 4 });
    await clock.advance(2 * MINUTE);
    expect(reported()).toEqual([]);
  });

  test("a rule reports nothing from before it began", async () => {
    await close(await schedule({ missed: "none" }));
    await clock.advance(4 * HOUR);
    await watch();
    await schedule({ missed: "none" });
    await clock.advance(HOUR);
    expect(reported()).toEqual([]);
  });

  test("a tick that is run, or skipped because of a pause or a blackout, is not reported", async () => {
    await watch();
    const scheduler = await schedule();
    await clock.advance(3 * HOUR);
    expect(runs.length).toBeGreaterThan(1);
    await clock.until(scheduler.pause("nightly", { reason: "r", author: "a" }));
    await close(scheduler);
    await clock.advance(5 * HOUR);
    expect(reported()).toEqual([]);
  });

  test("a grace of its own, and names that do not match", async () => {
    await watch({ grace: 20 * MINUTE, jobs: ["night*"] });
    await close(await schedule());
    await close(await schedule({}, "other"));
    await clock.advance(HOUR + 15 * MINUTE);
    expect(reported()).toEqual([]);
    await clock.advance(10 * MINUTE);
    expect(reported()).toHaveLength(1);
  });

  test("the next outage is reported again", async () => {
    const [first, second] = [tick(0), tick(6)];
    await watch();
    await close(await schedule());
    await clock.advance(3 * HOUR);
    const back = await schedule();
    await clock.advance(3 * HOUR);
    await close(back);
    await clock.advance(3 * HOUR);
    expect(reported()).toEqual([`missed nightly ${first} 1`, `missed nightly ${second} 1`]);
  });

  test("two processes, of which one dies after the other, report each tick once", { tags: ["full"] }, async () => {
    const one = await world.manager();
    await watch({}, one);
    await watch({}, await world.manager());
    await close(await schedule());
    await clock.advance(HOUR + 2 * MINUTE);
    one.way.fault = () => ({ type: "refused" });
    await clock.advance(12 * HOUR);
    expect(reported()).toHaveLength(1);
    await watch({}, await world.manager());
    await clock.advance(12 * HOUR);
    expect(reported()).toHaveLength(1);
  });

  test("a process that checks after another one reported knows what was reported", async () => {
    const first = await watch();
    await close(await schedule({ missed: "none" }));
    await clock.advance(2 * HOUR);
    expect(reported()).toHaveLength(1);
    await clock.until(first.close());
    await watch();
    await schedule({ missed: "none" });
    await clock.advance(5 * HOUR);
    expect(reported()).toHaveLength(1);
  });
});

describe("runs that began late", () => {
  test("are reported with their delay, and no others", async () => {
    await watch({ on: ["late"], later: 30 * MINUTE });
    const first = await schedule({ missed: "latest" });
    await clock.advance(2 * HOUR);
    await close(first);
    expect(runs.length).toBeGreaterThan(0);
    await clock.advance(HOUR + 45 * MINUTE);
    await schedule({ missed: "latest" });
    await clock.advance(MINUTE);
    expect(receiver.reported).toEqual(["late nightly"]);
    const [{ delay = 0, run, tick: at = "", status } = {} as Alert] = receiver.taken;
    expect(delay).toBeGreaterThan(30 * MINUTE);
    expect(Date.parse((run ?? "").slice("nightly@".length)) - Date.parse(at)).toBe(delay);
    expect(["running", "completed"]).toContain(status);
  });

  test("a run that waited in the queue is reported", async () => {
    await watch({ on: ["late"], later: 30 * MINUTE });
    const one = await world.manager();
    const scheduler = openScheduler(one.manager, { clock });
    const slow = (): Promise<void> => new Promise((resolve) => void clock.after(100 * MINUTE, resolve));
    await clock.until(scheduler.add("slow", { every: HOUR, overlap: "queue", timeout: 10 * HOUR }, slow));
    await clock.advance(4 * HOUR);
    expect(receiver.reported).toContain("late slow");
    const ids = receiver.taken.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
