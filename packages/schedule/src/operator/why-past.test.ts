import { beforeEach, describe, expect, it } from "vitest";
import { World } from "../testing/world.js";
import { type PastReason, whyRun, whyThen } from "./why-past.js";

const MINUTE = 60_000;

let world: World;
beforeEach(() => {
  world = new World("2030-01-01T00:00:30Z");
});

const texts = (reasons: readonly PastReason[]): readonly (readonly [string, string])[] =>
  reasons.map(({ code, text }) => [code, text]);

describe("why a job ran, or did not run, at a time", () => {
  it("reports the outcome of the tick of that minute, and the run that was active or came before", async () => {
    const one = await world.scheduler("one");
    const { scheduler, manager } = one;
    await world.clock.until(scheduler.add("a", { every: MINUTE }, one.body()));
    await world.until("00:01:30");
    await world.clock.until(scheduler.pause("a", { reason: "the bank is closed", author: "ana" }));
    await world.until("00:03:30");
    const then = async (time: string): Promise<PastReason[]> => {
      const at = Date.parse(`2030-01-01T${time}Z`);
      return world.clock.until(whyThen(scheduler, manager, "a", { at, now: world.clock.now() }));
    };
    const ran = await then("00:01:00");
    expect(ran.map(({ code }) => code)).toEqual(["tick", "last"]);
    expect(ran[0]?.text).toMatch(/^the tick of 2030-01-01T00:01:00.000Z was run, as a@2030-01-01T00:01:00/);
    expect(ran[1]).toMatchObject({ status: "completed", text: expect.stringMatching(/^a@\S+ completed at /) });
    const [skipped, last] = await then("00:02:00");
    expect(skipped?.text).toBe(
      "the tick of 2030-01-01T00:02:00.000Z was skipped: the schedule was paused by ana: the bank is closed",
    );
    expect(last?.text).toMatch(/^the last run before it, a@\S+, completed at /);
    const before = await then("00:00:00");
    expect(texts(before)).toEqual([
      ["no-tick", "no tick at 2030-01-01T00:00:00.000Z is recorded"],
      ["never", 'no run of "a" before it is stored'],
    ]);
    expect(texts(await then("09:00:00"))).toEqual([["ahead", "2030-01-01T09:00:00.000Z is still to come"]]);
    await world.close();
  });

  it("reports a tick that no process has decided on", async () => {
    const [one, two] = [await world.scheduler("one"), await world.scheduler("two")];
    await world.clock.until(one.scheduler.add("a", { every: MINUTE }, one.body()));
    await world.clock.until(one.scheduler.close());
    await world.until("00:05:00");
    const at = Date.parse("2030-01-01T00:02:00Z");
    const [tick] = await world.clock.until(whyThen(two.scheduler, two.manager, "a", { at, now: world.clock.now() }));
    expect(tick?.text).toBe("the tick of 2030-01-01T00:02:00.000Z has no outcome: no process has decided on it");
    await world.close();
  });
});

describe("why a run ended as it did", () => {
  it("reports the error, how long it took compared with those before, and the last one that completed", async () => {
    const one = await world.scheduler("one");
    const { manager } = one;
    const run = async (ms: number, error?: string): Promise<string> => {
      const started = await world.clock.until(manager.start("a"));
      await world.clock.advance(ms);
      await world.clock.until(error === undefined ? started.end() : started.fail(new Error(error)));
      return started.id;
    };
    await run(10_000);
    const second = await run(10_000);
    for (let i = 0; i < 2; i++) await run(10_000);
    const well = await run(10_000);
    const slow = await run(90_000, "connect ECONNREFUSED");
    const why = async (id: string): Promise<PastReason[]> => {
      for await (const record of manager.history({ name: "a" })) if (record.id === id) return whyRun(manager, record);
      return [];
    };
    const reasons = await world.clock.until(why(slow));
    expect(reasons.map(({ code, run: of }) => [code, of])).toEqual([
      ["last", slow],
      ["slow", slow],
      ["before", well],
    ]);
    expect(reasons[0]?.text).toMatch(/^a@\S+ failed at \S+: connect ECONNREFUSED$/);
    expect(reasons[1]?.text).toBe(
      "it took 1 min 30 s, longer than usual: half of the runs before it that completed took 10 s or less, 19 of 20 took 10 s or less",
    );
    const took = async (id: string): Promise<string | undefined> =>
      (await world.clock.until(why(id))).find(({ code }) => code === "slow" || code === "usual")?.text;
    const than = ": half of the runs before it that completed took 10 s or less, 19 of 20 took 10 s or less";
    expect(await took(well)).toBe(`it took 10 s, as usual${than}`);
    expect(await took(second)).toBe("it took 10 s: too few runs completed before it to know what is usual");
    expect(await took(await run(1_000))).toBe(`it took 1 s, less than usual${than}`);
    // A run that fails early says nothing about its duration.
    expect(await took(await run(1_000, "no route"))).toBeUndefined();
    await world.close();
  });
});
