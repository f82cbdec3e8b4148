import { beforeEach, describe, expect, it } from "vitest";
import { retriesOf } from "../operator/problems.js";
import { CHANNEL, cursorKey } from "../store/schema.js";
import { World } from "../testing/world.js";
import type { ScheduleReason } from "./why.js";

const MINUTE = 60_000;

let world: World;
beforeEach(() => {
  world = new World("2030-01-01T00:00:30Z");
});

describe("why a scheduled job does not run", () => {
  it("of a job whose name is too long for a schedule it is told as of any other", async () => {
    const one = await world.scheduler("one");
    const name = "x".repeat(300);
    await world.clock.until(one.manager.run(name, () => {}));
    expect(await world.clock.until(one.scheduler.why(name))).toMatchObject([{ code: "ready" }, { code: "last" }]);
    expect(await world.ticks(one, name)).toEqual([]);
    await world.close();
  });

  it("of a schedule that runs it is told what became of the last tick, and when the next one is", async () => {
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:01:30");
    const reasons = await world.clock.until(one.scheduler.why("a"));
    expect(reasons.map(({ code }) => code)).toEqual(["ready", "last", "tick", "next"]);
    expect(reasons[0]?.text).toBe("nothing keeps it from running");
    expect(reasons[2]?.text).toMatch(/^the last tick, of 2030-01-01T00:01:00.000Z, was run, as a@2030-01-01T00:01:00/);
    expect(reasons[3]?.text).toBe("the next tick is at 2030-01-01T00:02:00.000Z");
    await world.close();
  });

  it("of a schedule with a backfill it is told who asked for it, and how far it is", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    const { scheduler } = two;
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    // No process runs it: the backfill continues until it is stopped.
    await world.clock.until(one.scheduler.close());
    const ask = { from: "2029-12-31T23:00:00Z", to: "2030-01-01T00:00:00Z", reason: "lost rows", author: "ana" };
    const told = async (): Promise<string | undefined> =>
      (await world.clock.until(scheduler.why("a"))).find(({ code }) => code === "backfill")?.text;
    const counts = { ticks: 60, ran: 0, toRun: 60 };
    expect(await world.clock.until(scheduler.backfill("a", { ...ask, dryRun: true }))).toEqual(counts);
    expect(await told()).toBeUndefined();
    await world.clock.until(scheduler.backfill("a", ask));
    const span = "from 2029-12-31T23:00:00.000Z to 2029-12-31T23:59:59.999Z";
    expect(await told()).toBe(`a backfill by ana is running: 0 of 60 ticks ${span} have begun: lost rows`);
    await world.clock.until(scheduler.stopBackfills("a", { reason: "enough" }));
    expect(await told()).toBeUndefined();
    await world.close();
  });

  it("of a schedule that is paused it is told first by whom, until when, and why", async () => {
    const one = await world.scheduler("one");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    const pause = { reason: "the \u001b[2J disk is full", author: "ana", until: "2030-01-01T00:10:00Z" };
    await world.clock.until(one.scheduler.pause("a", pause));
    await world.until("00:01:30");
    const [first, ...rest] = await world.clock.until(one.scheduler.why("a"));
    const text = "the schedule is paused by ana until 2030-01-01T00:10:00.000Z: the \\u001b[2J disk is full";
    expect(first).toMatchObject({ code: "paused", text });
    expect(rest.at(-2)?.text).toContain("was skipped: the schedule was paused by ana: the \\u001b[2J disk is full");
    const then = ". The next one that runs is at 2030-01-01T00:10:00.000Z";
    expect(rest.at(-1)?.text).toBe(
      `the next tick is at 2030-01-01T00:02:00.000Z, and will be skipped: the schedule is paused${then}`,
    );
    await world.close();
  });

  it("of a job that a person holds it is told which ticks will be skipped, unless the schedule lets them wait", async () => {
    const one = await world.scheduler("one");
    for (const [name, overlap] of [
      ["a", "skip"],
      ["b", "queue"],
    ] as const) {
      await world.clock.until(one.scheduler.add(name, { every: MINUTE, overlap }, one.body()));
      await world.clock.until(
        one.manager.hold(name, { reason: "the schema changes", until: Date.UTC(2030, 0, 1, 0, 2, 30) }),
      );
    }
    const skips = async (name: string): Promise<unknown[]> =>
      (await world.clock.until(one.scheduler.next(name, { limit: 3 }))).map(({ skipped }) => skipped);
    expect(await skips("a")).toEqual(["held", "held", undefined]);
    expect(await skips("b")).toEqual([undefined, undefined, undefined]);
    const next = async (name: string): Promise<string | undefined> =>
      (await world.clock.until(one.scheduler.why(name))).at(-1)?.text;
    expect(await next("a")).toMatch(
      /^the next tick is at .*, and will be skipped: the job is on hold then\. The next one that runs is at 2030-01-01T00:03:00\.000Z$/,
    );
    expect(await next("b")).toMatch(/^the next tick is at [^,]*$/);
    await world.close();
  });

  it("of a schedule in a blackout, and of one that nobody is there to run, it is told", async () => {
    const one = await world.scheduler("one");
    const two = await world.scheduler("two");
    const blackout = [{ from: "2030-01-01T00:00:00Z", to: "2030-01-01T01:00:00Z", reason: "the books are closed" }];
    await world.clock.until(one.scheduler.add("a", { every: MINUTE, blackout }, one.body()));
    await world.until("00:00:40");
    const codes = (reasons: readonly ScheduleReason[]): string[] => reasons.map(({ code }) => code);
    const reasons = await world.clock.until(two.scheduler.why("a"));
    expect(codes(reasons)).toEqual(["blackout", "never", "next"]);
    expect(reasons[2]?.text).toContain(
      ", and will be skipped: it falls into a blackout. The next one that runs is at 2030-01-01T01:00:00.000Z",
    );
    expect(reasons[0]?.text).toBe("a blackout lasts until 2030-01-01T01:00:00.000Z: the books are closed");
    await world.clock.until(one.scheduler.close());
    expect(codes(await world.clock.until(two.scheduler.why("a")))).toEqual(["blackout", "unattended", "never", "next"]);
    await world.close();
  });

  it("of a schedule whose only process was killed it is told that nobody is there, once its presence is over", async () => {
    const one = await world.scheduler("one");
    const two = await world.scheduler("two");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:01:30");
    world.kill(one);
    await world.until("00:03:30");
    const reasons = await world.clock.until(two.scheduler.why("a"));
    expect(reasons.map(({ code }) => code)).toEqual(["unattended", "last", "tick", "next"]);
    expect(reasons[0]?.text).toBe("no process runs this schedule; one tick is overdue, since 2030-01-01T00:02:00.000Z");
  });

  it("of an attempt whose process was killed it is told that nobody makes it, until a scheduler is there", async () => {
    const one = await world.scheduler("one");
    const two = await world.scheduler("two");
    const schedule = { every: 60 * MINUTE, retry: { attempts: 2, delay: 10 * MINUTE } };
    await world.clock.until(one.scheduler.add("a", schedule, () => Promise.reject(new Error("no route"))));
    await world.clock.until(one.scheduler.runNow("a", { reason: "a test" }));
    await world.clock.advance(1_000);
    const left = async (): Promise<unknown[]> =>
      (await world.clock.until(two.manager.retries().then((all) => retriesOf(two.manager, all))))
        .filter(({ orphaned }) => orphaned)
        .map(({ name, attempt }) => [name, attempt]);
    expect(await left()).toEqual([]);
    world.kill(one);
    await world.clock.advance(MINUTE);
    expect(await left()).toEqual([["a", 2]]);
    const text = async (): Promise<string | undefined> =>
      (await world.clock.until(two.scheduler.why("a"))).find(({ code }) => code === "retry")?.text;
    expect(await text()).toMatch(/no route\. Its process is gone, and no other scheduler of it is there$/);
    await world.clock.until(two.scheduler.add("a", schedule, two.body()));
    expect(await text()).toMatch(/no route$/);
    expect(await left()).toEqual([]);
  });

  it("of a schedule whose processes do not decide on its ticks it is told", async () => {
    const one = await world.scheduler("one");
    const two = await world.scheduler("two");
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    const channel = await one.manager.channel<object>(CHANNEL);
    await world.until("00:01:30");
    // Its cursor was set back without its process, as by a restored backup.
    await world.clock.until(channel.set(cursorKey("a"), { at: Date.UTC(2029, 11, 31, 23, 58) }));
    const [first] = await world.clock.until(two.scheduler.why("a"));
    const text =
      "2 ticks are overdue, since 2029-12-31T23:59:00.000Z: the processes that are there have not decided on them";
    expect(first).toMatchObject({ code: "overdue", text });
    await world.close();
  });

  it("of a job that only people start it is not told that it has no schedule, unless it had one", async () => {
    const one = await world.scheduler("one");
    await world.clock.until(one.manager.run("b", () => {}));
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:01:30");
    await world.clock.until(one.scheduler.remove("a"));
    const codes = async (name: string): Promise<string[]> =>
      (await world.clock.until(one.scheduler.why(name))).map(({ code }) => code);
    expect(await codes("b")).toEqual(["ready", "last"]);
    expect(await codes("a")).toEqual(["last", "tick", "unscheduled"]);
    await world.close();
  });

  it("of a job that was never scheduled it is told", async () => {
    const one = await world.scheduler("one");
    const reasons = await world.clock.until(one.scheduler.why("b"));
    expect(reasons.map(({ code }) => code)).toEqual(["never", "unscheduled"]);
    await world.close();
  });
});
