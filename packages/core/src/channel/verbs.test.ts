import { beforeEach, describe, expect, test, vi } from "vitest";
import { settled } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import { HandDriven } from "../testing/stores/hand-driven.js";
import { World } from "../testing/world.js";
import type { Channel } from "./channel.js";
import { openChannel } from "./open.js";
import type { Key } from "./types.js";

interface Seat {
  readonly status?: string;
  readonly by?: string | number;
  readonly name?: string;
  readonly row?: unknown;
}

let world: World;
let channel: Channel<Seat>;
let other: Channel<Seat>;

beforeEach(async () => {
  world = new World();
  channel = await openChannel<Seat>("seats", { backend: await world.way(), clock: world.clock });
  other = await openChannel<Seat>("seats", { backend: await world.way(), clock: world.clock });
});

describe("getSet", () => {
  test("getSet writes if every field of the match is there, and returns the current entry if not", async () => {
    await channel.set("1", { status: "free", row: { a: [1] } });
    expect(await channel.getSet({ status: "taken" }, "1", {})).toMatchObject({
      ok: false,
      current: { value: { status: "free" } },
    });
    expect(await channel.getSet({ status: "free", row: { a: [2] } }, "1", {})).toMatchObject({ ok: false });
    expect(await channel.getSet({ toString: undefined }, "1", {})).toMatchObject({ ok: false });
    expect(await channel.getSet({ status: "free", row: { a: [1] } }, "1", { status: "taken" })).toMatchObject({
      ok: true,
    });
    expect(await channel.get("1")).toEqual({ status: "taken" });
    expect(await channel.getSet({ status: "free" }, "2", {})).toEqual({ ok: false });
    expect(await channel.get("2")).toBeUndefined();
  });

  test("of many getSet calls at once on one key exactly one wins", async () => {
    await channel.set("1", { status: "free" });
    const tries = Array.from({ length: 50 }, (_, i) =>
      (i % 2 === 0 ? channel : other).getSet({ status: "free" }, "1", { status: "taken", by: i }),
    );
    const won = (await Promise.all(tries)).flatMap(({ ok }, i) => (ok ? [i] : []));
    expect(won.length).toBe(1);
    expect((await channel.get("1"))?.by).toBe(won[0]);
  });

  test("getSet tries again when another write came in between that leaves the match intact", async () => {
    await channel.set("1", { status: "free", by: 0 });
    const tries = Array.from({ length: 10 }, (_, i) =>
      channel.getSet({ status: "free" }, "1", { status: "free", by: i }),
    );
    expect((await Promise.all(tries)).every(({ ok }) => ok)).toBe(true);
  });
});

describe("setAll and unsetAll", () => {
  test("setAll and unsetAll write and delete each value under the map of its key fields", async () => {
    const seats = [
      { name: "a", by: 1 },
      { name: "b", by: 2 },
      { name: "c", by: 3 },
    ];
    await channel.setAll(["name", "by"], seats);
    expect(await channel.getKeys()).toEqual([
      { by: 1, name: "a" },
      { by: 2, name: "b" },
      { by: 3, name: "c" },
    ]);
    expect(await channel.get({ name: "b", by: 2 })).toEqual({ name: "b", by: 2 });
    await channel.unsetAll(["name", "by"], seats.slice(1));
    expect(await channel.getAll()).toEqual([{ name: "a", by: 1 }]);
  });

  test("setAll keeps the last of two values under one key, even if inner fields are in another order", async () => {
    await channel.setAll(
      ["row"],
      [
        { row: { x: 1, y: 2 }, by: 1 },
        { row: { y: 2, x: 1 }, by: 2 },
      ],
    );
    expect(await channel.getAll()).toEqual([{ row: { y: 2, x: 1 }, by: 2 }]);
    await channel.unsetAll(["row"], [{ row: { x: 1, y: 2 } }, { row: { y: 2, x: 1 } }]);
    expect(await channel.size()).toBe(0);
  });

  test("setAll and destroy split their writes where the store takes no more at once", async () => {
    const way = await world.way({ maxOps: 10 });
    const small = await openChannel<Seat>("small", { backend: way, clock: world.clock });
    await small.setAll(
      ["by"],
      Array.from({ length: 25 }, (_, by) => ({ by })),
    );
    expect(way.commits.map(({ writes }) => writes.length)).toEqual([10, 10, 5]);
    expect(await small.size()).toBe(25);
    await small.destroy();
    expect(way.commits.map(({ writes }) => writes.length)).toEqual([10, 10, 5, 10, 10, 5]);
  });

  test("setAll refuses a value without the key field, and writes nothing at all", async () => {
    expect(await rejection(channel.setAll(["name"], [{ name: "a" }, { by: 1 }]))).toMatchObject({
      code: "INVALID_KEY",
    });
    expect(await channel.size()).toBe(0);
  });

  test("setAll takes a time to live", async () => {
    await channel.setAll(["name"], [{ name: "a" }], { ttl: 100 });
    await world.clock.advance(100);
    expect(await channel.size()).toBe(0);
  });
});

describe("shift and pop", () => {
  test("shift takes the entry modified longest ago, and pop the one modified last", async () => {
    for (const name of ["c", "a", "b"]) await channel.push(name, { name });
    await channel.set("c", { name: "c again" });
    expect((await channel.getSortedKeys()).join()).toBe("a,b,c");
    expect(await channel.shift()).toEqual({ name: "a" });
    expect(await channel.pop()).toEqual({ name: "c again" });
    expect(await channel.pop()).toEqual({ name: "b" });
    expect(await channel.pop()).toBeUndefined();
    expect(await channel.shift()).toBeUndefined();
  });

  test("concurrent calls of shift and pop give each entry to one caller, and miss none", async () => {
    for (let i = 0; i < 60; i++) await channel.push(i, { by: i });
    const take = async (n: number): Promise<unknown[]> => {
      const taken: unknown[] = [];
      for (;;) {
        const seat = n % 2 === 0 ? await channel.shift() : await other.pop();
        if (seat === undefined) return taken;
        taken.push(seat.by);
      }
    };
    const all = (await Promise.all([0, 1, 2, 3, 4].map(take))).flat();
    expect(all.length).toBe(60);
    expect(new Set(all).size).toBe(60);
  });
});

test("getKeys, getSortedKeys, getAll and forEach list the same entries", async () => {
  for (const [i, name] of ["b", "a", "c"].entries()) await channel.set(name, { by: i });
  expect(await channel.getKeys()).toEqual(["a", "b", "c"]);
  expect(await channel.getSortedKeys()).toEqual(["b", "a", "c"]);
  expect(await channel.getAll()).toEqual([{ by: 1 }, { by: 0 }, { by: 2 }]);
  const seen: Key[] = [];
  await channel.forEach(async (key, value) => {
    await settled();
    seen.push(`${key}${value.by}`);
  });
  expect(seen).toEqual(["a1", "b0", "c2"]);
  expect(await channel.getAll({ limit: 1, reverse: true })).toEqual([{ by: 2 }]);
});

describe("subscribe", () => {
  test("a subscriber hears of existing entries and of changes, own and foreign, until unsubscribe", async () => {
    await channel.set("a", { by: 1 });
    const told: unknown[] = [];
    const id = await channel.subscribe((...args) => told.push(args));
    await other.set("b", { by: 2 });
    await channel.unset("a");
    await settled();
    expect(told).toEqual([
      ["seats", "set", "a", { by: 1 }],
      ["seats", "set", "b", { by: 2 }],
      ["seats", "unset", "a", undefined],
    ]);
    channel.unsubscribe(id);
    await channel.set("c", {});
    await settled();
    expect(told.length).toBe(3);
  });

  test("a subscriber with onlyFromNow hears only of changes after the subscription", async () => {
    await channel.set("a", { by: 1 });
    const told: unknown[] = [];
    await channel.subscribe((_channel, operation, key) => told.push([operation, key]), { onlyFromNow: true });
    await channel.set("a", { by: 2 });
    await settled();
    expect(told).toEqual([["set", "a"]]);
  });

  test("subscribe refuses an id that is taken, and takes it again after unsubscribe", async () => {
    await channel.subscribe(() => {}, { id: "me" });
    expect(await rejection(channel.subscribe(() => {}, { id: "me" }))).toMatchObject({ code: "INVALID_ARGUMENT" });
    channel.unsubscribe("me");
    await channel.subscribe(() => {}, { id: "me" });
  });

  test("a subscription that failed leaves its id free", async () => {
    const deaf = await openChannel<Seat>("deaf", { backend: new HandDriven({ watch: false }) });
    for (let i = 0; i < 2; i++) {
      expect(await rejection(deaf.subscribe(() => {}, { id: "me" }))).toMatchObject({ code: "NOT_SUPPORTED" });
    }
    await channel.set("a", {});
    const thrower = (): never => {
      throw new Error("at once");
    };
    for (let i = 0; i < 2; i++) {
      expect(await rejection(channel.subscribe(thrower, { id: "me" }))).toMatchObject({ message: "at once" });
    }
  });

  test("an error that a subscriber throws later becomes an uncaught exception", async () => {
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const uncaught = vi.fn();
    process.on("uncaughtException", uncaught);
    await channel.subscribe(() => {
      throw new Error("in the subscriber");
    });
    await channel.set("a", {});
    await expect.poll(() => uncaught.mock.calls.length).toBeGreaterThan(0);
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
    expect(uncaught.mock.calls[0]?.[0]).toMatchObject({ message: "in the subscriber" });
  });

  test("a subscription ends when its channel is closed", async () => {
    const told: unknown[] = [];
    await channel.subscribe((...args) => told.push(args));
    await channel.close();
    await other.set("a", {});
    await settled();
    expect(told).toEqual([]);
    expect(await rejection(channel.subscribe(() => {}))).toMatchObject({ code: "CLOSED" });
  });
});

test("destroy deletes every entry of the channel and none of other channels, and closes the channel", async () => {
  const neighbour = await openChannel<Seat>("seats 2", { backend: await world.way(), clock: world.clock });
  await neighbour.set("a", { by: 1 });
  const keys = ["a", 5, -5, ["a", 1], { name: "a", row: { x: 1 } }, { name: "\0 !\uD800" }] as Key[];
  for (const key of keys) await channel.set(key, {});
  await channel.destroy();
  expect(channel.closed).toBe(true);
  expect(await other.size()).toBe(0);
  expect(await neighbour.size()).toBe(1);
});
