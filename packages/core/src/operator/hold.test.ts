import { beforeEach, describe, expect, test } from "vitest";
import type { HoldOptions } from "../jobs/types.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import { type ManagerOf, World } from "../testing/world.js";

const TTL = 15_000;
const HOUR = 3_600_000;

let world: World;
let clock: FakeClock;
let one: ManagerOf;
let two: ManagerOf;

beforeEach(async () => {
  world = new World();
  clock = world.clock;
  one = await world.manager();
  two = await world.manager();
});

const hold = (name: string, more: Partial<HoldOptions> = {}, by = one): ReturnType<ManagerOf["manager"]["hold"]> =>
  clock.until(by.manager.hold(name, { reason: "the schema changes", ...more }), HOUR);

const refusal = ({ manager }: ManagerOf, name = "a"): Promise<unknown> =>
  clock.until(rejection(manager.run(name, () => {}, { wait: 0 })));

describe("a held job", () => {
  test("a job that is held does not run, and a caller learns by whom it is held, until when, and why", async () => {
    await hold("a", { author: "ana", until: Date.parse("2030-01-02T00:00Z") });
    for (const manager of [one, two]) {
      expect(await refusal(manager)).toMatchObject({
        code: "LOCKED",
        message:
          "Can't lock to execute job 'a': held for maintenance by ana until 2030-01-02T00:00:00.000Z: the schema changes",
      });
    }
    const [lock] = await two.manager.heldLocks();
    expect(lock).toMatchObject({ name: "a", note: { hold: { reason: "the schema changes", author: "ana" } } });
    await clock.until(two.manager.run("b", () => {}));
  });

  test("a hold stays when its process ends, in good order or not", async () => {
    await hold("a");
    await hold("b", {}, two);
    await clock.until(one.manager.close());
    two.way.fault = () => ({ type: "refused" });
    const three = await world.manager();
    await clock.advance(3 * TTL);
    await clock.until(three.manager.openRecords());
    for (const name of ["a", "b"]) expect(await refusal(three, name)).toMatchObject({ code: "LOCKED" });
  });

  test("a hold ends by itself at its time, for those who wait too", async () => {
    await hold("a", { until: clock.now() + HOUR });
    const waiting = two.manager.run("a", () => "ran", { wait: 2 * HOUR });
    await clock.advance(HOUR - 1_000);
    expect(await two.manager.heldLocks()).toMatchObject([{ name: "a", waiting: 1 }]);
    expect((await clock.until(waiting, 60_000)).result).toBe("ran");
    expect(await two.manager.heldLocks()).toEqual([]);
  });

  test("a hold that waited for a run ends at its time too", async () => {
    const run = await clock.until(two.manager.start("a"));
    const until = clock.now() + HOUR;
    const asked = one.manager.hold("a", { reason: "the schema changes", until, wait: HOUR });
    await clock.advance(HOUR / 2);
    await clock.until(run.end());
    await clock.until(asked);
    const waiting = two.manager.run("a", () => clock.now(), { wait: 2 * HOUR });
    expect((await clock.until(waiting, HOUR)).result).toBeLessThan(until + 1_000);
  });

  test("a hold during whose wait the wall clock was set back lasts no longer than it was asked for", async () => {
    const run = await clock.until(two.manager.start("a"));
    const end = clock.monotonic() + HOUR;
    const asked = one.manager.hold("a", { reason: "the schema changes", until: clock.now() + HOUR, wait: HOUR });
    clock.wall -= 3 * HOUR;
    await clock.until(run.end());
    await clock.until(asked);
    const waiting = two.manager.run("a", () => clock.monotonic(), { wait: 5 * HOUR });
    expect((await clock.until(waiting, 5 * HOUR)).result).toBeLessThan(end + 1_000);
  });

  test("whether the end of a hold is in the future is judged at the call", async () => {
    const asked = one.manager.hold("a", { reason: "the schema changes", until: clock.now() + 1 });
    clock.block(2);
    expect(await clock.until(asked)).toMatchObject({ name: "a" });
  });

  test("a hold without a time ends after a day", async () => {
    const { note } = await hold("a");
    expect(note).toMatchObject({ hold: { until: clock.now() + 24 * HOUR } });
  });

  test("a hold can be ended by any process that unlocks the job, and nothing is left of it", async () => {
    await hold("a");
    const { unlocked } = await clock.until(two.manager.unlock("a", { reason: "done" }));
    expect(unlocked).toBe(true);
    await clock.until(two.manager.run("a", () => {}, { wait: 0 }));
    const sessions: unknown[] = [];
    for await (const { key } of two.manager.channels.locks.keys({ prefix: ["session"] })) sessions.push(key);
    expect(JSON.stringify(sessions)).not.toContain("hold-");
  });

  test("a hold waits for the run in progress, and lets no other run pass", async () => {
    const run = await clock.until(two.manager.start("a"));
    expect(await clock.until(rejection(one.manager.hold("a", { reason: "x" })))).toMatchObject({
      code: "LOCKED",
      message: expect.stringMatching(/^"a" cannot be held: held by /),
    });
    const holding = one.manager.hold("a", { reason: "x", wait: HOUR });
    await clock.advance(1_000);
    const waiting = rejection(two.manager.run("a", () => {}, { wait: 10_000 }));
    await clock.advance(1_000);
    await clock.until(run.end());
    expect(await clock.until(holding)).toMatchObject({ name: "a", note: { hold: { reason: "x" } } });
    expect(await clock.until(waiting, 60_000)).toMatchObject({ code: "LOCKED" });
  });

  test("a job is held once: a second hold is refused with the first one's reason", async () => {
    await hold("a", { author: "ana" });
    expect(await clock.until(rejection(two.manager.hold("a", { reason: "mine" })))).toMatchObject({
      message: expect.stringMatching(/^"a" cannot be held: held for maintenance by ana until .*: the schema changes$/),
    });
  });

  test.each(["request lost", "reply lost"] as const)(
    "a hold without an answer leaves either a whole hold or nothing: %s",
    async (type) => {
      one.way.fault = (call) =>
        call.kind === "commit" && call.commit.writes.some(({ key }) => key.includes("hold-")) ? { type } : undefined;
      expect(await clock.until(rejection(one.manager.hold("a", { reason: "x" })), HOUR)).toMatchObject({
        outcome: "unknown",
      });
      one.way.fault = () => undefined;
      await clock.advance(3 * TTL);
      const locks = await two.manager.heldLocks();
      expect(locks).toHaveLength(type === "reply lost" ? 1 : 0);
    },
  );
});

test.each<[unknown, RegExp]>([
  [{}, /needs a reason/],
  [undefined, /needs a reason/],
  [{ reason: "x", until: 5 }, /until must be a time in the future/],
  [{ reason: "x", author: 5 }, /author must be a text/],
  [{ reason: "x", wait: "5" }, /wait must be a duration/],
  [{ reason: "x", untill: 5 }, /a hold has no option "untill". Did you mean "until"\?/],
])("a wrong hold is refused: %#", async (options, message) => {
  await expect(one.manager.hold("a", options as HoldOptions)).rejects.toThrow(message);
});
