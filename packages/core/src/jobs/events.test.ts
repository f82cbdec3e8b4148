import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { FakeClock } from "../testing/fake-clock.js";
import { collect, rejection } from "../testing/settle.js";
import { STORES, World } from "../testing/world.js";
import type { Events } from "./events.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

/** Collects the events of one kind until the test is over. */
function listen<K extends keyof Events>(name: K): Events[K][] {
  const events: Events[K][] = [];
  const onEvent = (event: unknown): void => void events.push(event as Events[K]);
  subscribe(name, onEvent);
  onTestFinished(() => void unsubscribe(name, onEvent));
  return events;
}

describe.each(STORES)("records and locks $stores: events", ({ apart }) => {
  test("a run is reported when it starts and when it ends, with its record", async () => {
    const [started, ended] = [listen("ojm:run:started"), listen("ojm:run:ended")];
    const { manager } = await world.manager({ apart });
    const { record } = await clock.until(manager.run("a", () => 5));
    await clock.until(rejection(manager.run("a", () => Promise.reject(new Error("no")))));
    expect(started.map(({ record: { id, status } }) => [id, status])[0]).toEqual([record.id, "running"]);
    expect(started[0]?.record.fence).toBe(record.fence);
    expect(ended[0]?.record).toEqual(record);
    expect(ended.map(({ record: { status } }) => status)).toEqual(["completed", "failed"]);
  });

  test("the end of a run of a dead process is reported once, by the process that closed it", async () => {
    const [one, two, three] = [
      await world.manager({ apart }),
      await world.manager({ apart }),
      await world.manager({ apart }),
    ];
    await clock.until(one.manager.start("a"));
    const ended = listen("ojm:run:ended");
    one.way.fault = () => ({ type: "refused" });
    one.jobsWay.fault = one.way.fault;
    await clock.advance(3 * TTL);
    await Promise.all([two, three].map(({ manager }) => clock.until(manager.run("a", () => {}, { wait: 60_000 }))));
    const lost = ended.filter(({ record }) => record.status === "lost");
    expect(lost).toHaveLength(1);
    expect(await collect(two.manager.history({ name: "a" }))).toContainEqual(lost[0]?.record);
  });

  test("a run whose lock was taken is reported as it ended, once", async () => {
    const ended = listen("ojm:run:ended");
    const lost = listen("ojm:lock:lost");
    const [one, two] = [await world.manager({ apart }), await world.manager({ apart })];
    const run = await clock.until(one.manager.start("a"));
    await clock.advance(1_000);
    await clock.until(two.manager.unlock("a", { reason: "x" }));
    await clock.advance(1_000);
    expect(ended.map(({ record: { status, endedBy } }) => [status, endedBy?.action])).toEqual([
      ["cancelled", "unlock"],
    ]);
    expect(lost).toEqual([expect.objectContaining({ name: "a", fence: run.fence, code: "LOST" })]);
  });
});

test("a call that waits for a lock is reported, with the holder", async () => {
  const waiting = listen("ojm:lock:waiting");
  const { manager } = await world.manager();
  const run = await clock.until(manager.start("a"));
  const second = manager.run("a", () => {}, { wait: 5_000 });
  await clock.advance(10);
  expect(waiting).toEqual([{ name: "a", wait: 5_000, held: expect.objectContaining({ fence: run.fence }) }]);
  await clock.until(run.end());
  await clock.until(second);
});

test("the end of a wait for a lock is reported, with its duration and whether the lock was taken", async () => {
  const waited = listen("ojm:lock:waited");
  const { manager } = await world.manager();
  const run = await clock.until(manager.start("a"));
  const [second, third] = [
    manager.run("a", () => {}, { wait: 5_000 }),
    rejection(manager.run("a", () => {}, { wait: 1_000 })),
  ];
  await clock.advance(2_000);
  await clock.until(run.end());
  await clock.until(Promise.all([second, third]));
  expect(waited).toEqual([
    { name: "a", duration: 1_000, taken: false },
    { name: "a", duration: expect.any(Number), taken: true },
  ]);
  expect(waited[1]?.duration).toBeGreaterThanOrEqual(2_000);
});

test("each renewal of a session is reported, even one that failed", async () => {
  const renewals = listen("ojm:session:renewal");
  const { manager, way } = await world.manager();
  await clock.until(manager.start("a"));
  await clock.advance(TTL / 3);
  const session = expect.any(String);
  expect(renewals).toEqual([{ session, duration: expect.any(Number), ok: true }]);
  way.fault = () => ({ type: "refused" });
  await clock.advance(TTL / 3);
  expect(renewals.at(-1)).toMatchObject({ session: renewals[0]?.session, ok: false });
});

test("the end of a session that was lost is published once, and no renewal of it follows", async () => {
  const [renewals, ends] = [listen("ojm:session:renewal"), listen("ojm:session:ended")];
  const { manager, way } = await world.manager();
  await clock.until(manager.start("a"));
  // The answer to the last renewal comes after the deadline of the session.
  way.fault = () => ({ type: "slow", ms: TTL });
  await clock.advance(TTL);
  const before = renewals.length;
  expect(ends).toEqual([
    { session: renewals[0]?.session, reason: expect.stringContaining("the store answered no renewal for 15 s") },
  ]);
  way.fault = () => ({ type: "refused" });
  await clock.advance(3 * TTL);
  expect([renewals.length, ends.length]).toEqual([before, 1]);
});

test("the end of a session that was unused is published, and so is the end of one that was closed", async () => {
  const [renewals, ends] = [listen("ojm:session:renewal"), listen("ojm:session:ended")];
  const { manager } = await world.manager();
  await clock.until(manager.run("a", () => {}));
  await clock.advance(2 * TTL);
  const reason = expect.stringContaining("it was closed");
  expect(ends).toEqual([{ session: renewals[0]?.session, reason }]);
  await clock.until(manager.run("a", () => {}));
  await clock.until(manager.close());
  expect(ends).toHaveLength(2);
  expect(ends[1]).toEqual({ session: expect.not.stringMatching(`^${ends[0]?.session}$`), reason });
});

test("the timeout of a run is reported as a lost lock", async () => {
  const lost = listen("ojm:lock:lost");
  const { manager } = await world.manager();
  await clock.until(rejection(manager.run("a", () => new Promise(() => {}), { timeout: 1_000 })), 2_000);
  expect(lost).toEqual([
    expect.objectContaining({ code: "TIMEOUT", reason: expect.stringContaining("timeout of 1 s passed") }),
  ]);
});
