import { describe, expect, test } from "vitest";
import { rejection } from "../../testing/settle.js";
import { type LocksOf, World } from "../../testing/world.js";
import { type LocksValue, type QueueValue, queueKey, type Ticket } from "./schema.js";
import { leaveQueue, queueOps } from "./view.js";

test("a ticket leaves a queue even when another ticket enters the queue at that moment", async () => {
  const world = new World();
  const [one, two] = [await world.locks(), await world.locks()];
  const [mine, other] = [
    { session: "1-session", token: "mine" },
    { session: "2-session", token: "other" },
  ];
  await one.channel.set(queueKey("a"), { waiting: [mine] });
  const read = one.way.read.bind(one.way);
  one.way.read = async (...args) => {
    const answer = await read(...args);
    one.way.read = read;
    await two.channel.set(queueKey("a"), { waiting: [mine, other] });
    return answer;
  };
  await leaveQueue(one.channel, "a", mine);
  expect(await one.channel.get(queueKey("a"))).toEqual({ waiting: [other] });
});

/** Items of a later version, or of another program: no process can be checked or notified by them. */
const UNKNOWN = [{ group: "g", members: 3 }, { session: "1-x", token: 7 }, null, "next"];

describe("a queue with items that this version does not understand", () => {
  const put = (to: LocksOf, waiting: readonly unknown[], more = {}): Promise<unknown> =>
    to.channel.set(queueKey("a"), { waiting, ...more } as unknown as LocksValue);

  test("waiters keep their order, and the items and fields stay while others wait", async () => {
    const world = new World();
    const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
    const held = await one.locks.acquire("a");
    await put(one, UNKNOWN, { more: 1 });
    const got: string[] = [];
    const seen: (QueueValue | undefined)[] = [];
    const wait = async (name: string, { locks }: LocksOf): Promise<void> => {
      const lease = await locks.acquire("a", { wait: 600_000 });
      got.push(name);
      await lease.release();
    };
    const waits = [wait("two", two)];
    await world.clock.advance(100);
    waits.push(wait("three", three));
    await world.clock.advance(100);
    const queue = (await one.channel.get(queueKey("a"))) as QueueValue;
    expect(queue).toMatchObject({ more: 1, waiting: [...UNKNOWN, {}, {}] });
    expect((await one.locks.list())[0]?.waiting).toBe(2);
    await one.channel.watchKey(queueKey("a"), {
      changed: (change) => void seen.push(change.deleted ? undefined : (change.value() as QueueValue)),
      gap() {},
      failed() {},
    }).ready;
    await held.release();
    await world.clock.until(Promise.all(waits));
    expect(got).toEqual(["two", "three"]);
    expect(seen).toEqual([{ more: 1, waiting: [...UNKNOWN, expect.anything()] }, undefined]);
  });

  test.each([
    ["at once", 0],
    ["by a waiter", 1_000],
  ])("a lock on which only such items wait is taken %s", async (_, wait) => {
    const world = new World();
    const one = await world.locks();
    await put(one, UNKNOWN);
    const lease = await world.clock.until(one.locks.acquire("a", { wait }));
    expect(lease.held).toBe(true);
    expect(await one.channel.get(queueKey("a"))).toBeUndefined();
  });

  test("a lock of a living waiter behind such items is taken by that waiter alone", async () => {
    const world = new World();
    const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
    const held = await one.locks.acquire("a");
    await put(one, UNKNOWN);
    const waits = two.locks.acquire("a", { wait: 600_000 });
    await world.clock.advance(100);
    await held.release();
    expect(await rejection(three.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
    expect((await world.clock.until(waits)).held).toBe(true);
  });

  test("a ticket with an unknown time of arrival keeps its place", async () => {
    const world = new World();
    const [one, two] = [await world.locks(), await world.locks()];
    const { session } = await two.locks.acquire("other");
    await put(one, [{ session: session.id, token: "t", since: { seconds: 5 } }]);
    expect(await rejection(one.locks.acquire("a"))).toMatchObject({ code: "LOCKED" });
    expect(await one.locks.waiters("a")).toEqual([{ ...session.holder }]);
  });

  test("the sweep leaves a queue with such an item alone, and removes one in which only dead sessions wait", async () => {
    const world = new World();
    const one = await world.locks();
    const dead = { session: "9-dead", token: "t" };
    await put(one, [dead, UNKNOWN[0]]);
    await one.locks.sweep();
    expect(await one.channel.get(queueKey("a"))).toEqual({ waiting: [dead, UNKNOWN[0]] });
    await put(one, [dead]);
    await one.locks.sweep();
    expect(await one.channel.get(queueKey("a"))).toBeUndefined();
  });
});

describe("notices of a change of a queue", () => {
  /** `a1` is a ticket of the session `a`. */
  const queueOf = (tokens: string): Ticket[] =>
    tokens.split(" ").flatMap((token) => (token === "" ? [] : [{ session: token.charAt(0), token }]));

  /** The tickets that get a notice from a change: as the first, or (in parentheses) as near. */
  function told(before: string, after: string): string {
    const values = queueOps("a", { waiting: queueOf(before) }, { waiting: queueOf(after) }).flatMap((op) =>
      "put" in op ? [op.value] : [],
    );
    const calls = values.flatMap((value) => ("token" in value && "session" in value ? [value] : []));
    return calls.map(({ token, ...call }) => ("near" in call ? `(${token})` : token)).join(" ");
  }

  test.each([
    ["", "a1", ""],
    ["a1", "a1 b1", ""],
    ["a1 b1", "b1", "b1"],
    ["a1 a2 b1", "a2 b1", "a2"],
    ["a1 b1 c1 d1", "b1 c1 d1", "b1"],
    ["a1 b1 c1 d1 e1 f1", "b1 c1 d1 e1 f1", "b1 (e1)"],
    ["a1 a2 b1 c1 d1 e1", "a2 b1 c1 d1 e1", "a2"],
    // One leaves from the middle, and two at once.
    ["a1 b1 c1 d1 e1 f1", "a1 b1 d1 e1 f1", "(e1)"],
    ["a1 b1 c1 d1 e1 e2 f1 g1", "a1 d1 e1 e2 f1 g1", "(e1) (f1)"],
    // The next ticket of the first session is near once the first is gone.
    ["a1 b1 c1 d1 e1 a2", "b1 c1 d1 e1 a2", "b1 (e1)"],
    ["a1 b1 c1 d1 a2", "b1 c1 d1 a2", "b1 (a2)"],
    // A ticket that has just entered knows its place.
    ["a1 b1 c1 d1 e1", "b1 c1 d1 f1", "b1"],
    ["a1", "", ""],
  ])("the queue %j becomes %j: %j are notified", (before, after, expected) => {
    expect(told(before, after)).toBe(expected);
  });
});
