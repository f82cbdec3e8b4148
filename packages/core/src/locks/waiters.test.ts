import { beforeEach, describe, expect, test } from "vitest";
import type { FakeClock } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import { waiting } from "../testing/tickets.js";
import { World } from "../testing/world.js";
import { queueKey, type SessionValue, sessionKey } from "./entries/schema.js";

const MINUTE = 60_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

describe("who waits for a lock", () => {
  test("is listed in the order of arrival, with the process and since when it waits", async () => {
    const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
    const lease = await one.locks.acquire("a");
    expect(await one.locks.waiters("a")).toEqual([]);
    const began = clock.now();
    const second = two.locks.acquire("a", { wait: MINUTE });
    await clock.advance(1_000);
    const third = three.locks.acquire("a", { wait: MINUTE });
    await clock.advance(1_000);
    const waiters = await one.locks.waiters("a");
    expect(waiters).toMatchObject([
      { pid: process.pid, since: began },
      { pid: process.pid, since: began + 1_000 },
    ]);
    expect(await one.locks.waiters("a", { limit: 1 })).toEqual(waiters.slice(0, 1));
    await lease.release();
    const next = await clock.until(second);
    expect(next.session.id).toBe(waiters[0]?.instance);
    expect(await one.locks.waiters("a")).toEqual(waiters.slice(1));
    await next.release();
    expect((await clock.until(third)).session.id).toBe(waiters[1]?.instance);
  });

  test("waits since it began, even after its session ended and it entered the queue again", async () => {
    const [one, two] = [await world.locks(), await world.locks()];
    const lease = await one.locks.acquire("a");
    const began = clock.now();
    const second = two.locks.acquire("a", { wait: 10 * MINUTE });
    await clock.advance(1_000);
    const [before] = await one.locks.waiters("a");
    await one.channel.unset(sessionKey(before?.instance ?? ""));
    await clock.advance(20_000);
    const [after] = await one.locks.waiters("a");
    expect(after?.since).toBe(began);
    expect(after?.instance).not.toBe(before?.instance);
    await lease.release();
    await (await clock.until(second)).release();
  });

  test("is not a process whose session is over, and one session is read once", async () => {
    const [one, two] = [await world.locks(), await world.locks()];
    const lease = await one.locks.acquire("a");
    const waits = [1, 2, 3].map(() => two.locks.acquire("a", { wait: MINUTE }));
    await clock.advance(1_000);
    const { reads } = one.way;
    const waiters = await one.locks.waiters("a");
    expect(waiters).toHaveLength(3);
    expect(one.way.reads - reads).toBe(2);
    const id = waiters[0]?.instance ?? "";
    const session = (await one.channel.get(sessionKey(id))) as SessionValue;
    await one.channel.unset(sessionKey(id));
    expect(await one.locks.waiters("a")).toEqual([]);
    expect(await waiting(one)).toBe(3);
    await one.channel.set(sessionKey(id), session);
    await lease.release();
    for (const wait of waits) await (await clock.until(wait)).release();
  });

  test("cannot be listed for a queue that ojm did not write", async () => {
    const one = await world.locks();
    await one.channel.set(queueKey("a"), { waiting: "noon" } as never);
    expect(await rejection(one.locks.waiters("a"))).toMatchObject({ code: "CORRUPT" });
  });
});
