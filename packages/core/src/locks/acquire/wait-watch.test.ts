import { beforeEach, describe, expect, test } from "vitest";
import { ChannelError } from "../../channel/errors.js";
import type { FakeClock } from "../../testing/fake-clock.js";
import { rejection } from "../../testing/settle.js";
import { cut } from "../../testing/tickets.js";
import { type LocksOf, World } from "../../testing/world.js";
import { lifeInStore, queueKey, sessionKey } from "../entries/schema.js";
import { ticketsOf } from "../entries/valid.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

test("a waiter is woken at once when the session of the holder is removed", async () => {
  const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
  const lease = await one.locks.acquire("a", {}, { prepare: () => ({}), refused: () => {}, onLeaseOver: () => {} });
  const next = two.locks.acquire("a", { wait: 600_000 });
  // It begins to watch the session at its first check.
  await clock.advance(250);
  await three.channel.unset(sessionKey(lease.session.id));
  await clock.until(next, 0);
});

// In such a store, the end of a session is known only from its last renewal that a process saw.
describe("waits in a store that does not expose its clock", () => {
  const MOST = lifeInStore(TTL) + 250;

  const enter = async (): Promise<LocksOf> => world.locks({ way: await world.timelessWay(lifeInStore(TTL)) });

  async function three(): Promise<[LocksOf, LocksOf, LocksOf]> {
    return [await enter(), await enter(), await enter()];
  }

  test.each([100, 4_000, 5_100, 9_000, 14_000, 16_000, 31_000])(
    "a wait lasts no more than a ttl after the holder fell silent, %i ms into the wait",
    async (ms) => {
      const [one, two] = await three();
      await one.locks.acquire("a");
      const next = two.locks.acquire("a", { wait: 600_000 });
      await clock.advance(ms);
      cut(one);
      await clock.until(next, MOST);
    },
  );

  test.each([100, 4_000, 5_100, 9_000, 14_000, 16_000, 31_000])(
    "a wait lasts no more than a ttl after the waiter ahead fell silent, %i ms into the wait",
    async (ms) => {
      const [one, two, last] = await three();
      const lease = await one.locks.acquire("a");
      void rejection(two.locks.acquire("a", { wait: 600_000 }));
      await clock.advance(100);
      const next = last.locks.acquire("a", { wait: 600_000 });
      await clock.advance(ms);
      cut(two);
      await lease.release();
      await clock.until(next, MOST);
    },
  );

  test.each([100, 4_000, 5_100, 9_000, 14_000, 16_000, 31_000])(
    "repeated short waits last no longer in sum: a ttl after the holder fell silent, %i ms into them",
    async (ms) => {
      for (const wait of [0, 100, 200]) {
        const [one, two] = await three();
        const name = `${wait}`;
        await one.locks.acquire(name);
        const asked = async (): Promise<boolean> => {
          const asking = two.locks.acquire(name, { wait }).catch(() => undefined);
          return (await clock.until(asking)) !== undefined;
        };
        const begin = clock.monotonic();
        while (clock.monotonic() < begin + ms) {
          expect(await asked()).toBe(false);
          await clock.advance(100);
        }
        cut(one);
        const silent = clock.monotonic();
        while (!(await asked())) {
          expect(clock.monotonic() - silent).toBeLessThanOrEqual(1.1 * lifeInStore(TTL));
          await clock.advance(100);
        }
      }
    },
  );

  test.each([100, 4_000, 5_100, 9_000, 14_000])(
    "a wait lasts no more than a ttl after the holder fell silent, %i ms after the waiter ahead did",
    async (ms) => {
      const [one, two, last] = await three();
      await one.locks.acquire("a");
      void rejection(two.locks.acquire("a", { wait: 600_000 }));
      await clock.advance(100);
      const next = last.locks.acquire("a", { wait: 600_000 });
      await clock.advance(8_000);
      cut(two);
      await clock.advance(TTL + ms);
      cut(one);
      await clock.until(next, MOST);
    },
  );

  async function lastsWhenAllBeforeFallSilent(waiters: number, after: number, most: number): Promise<void> {
    const dying = await Promise.all(Array.from({ length: 1 + waiters }, () => enter()));
    await dying[0]?.locks.acquire("a");
    for (const each of dying.slice(1)) {
      void rejection(each.locks.acquire("a", { wait: 600_000 }));
      await clock.advance(100);
    }
    const next = (await enter()).locks.acquire("a", { wait: 600_000 });
    await clock.advance(after);
    for (const each of dying) cut(each);
    await clock.until(next, most);
  }

  test.each([
    [1, 300],
    [1, 9_000],
    [2, 4_000],
    [3, 14_000],
    [3, 29_000],
    [7, 16_000],
  ])(
    "a wait lasts no more than a ttl when the holder and all %i waiters ahead fall silent, %i ms into it",
    (waiters, ms) => lastsWhenAllBeforeFallSilent(waiters, ms, MOST),
  );

  test.each([
    [8, 16_000],
    [20, 31_000],
    [40, 9_000],
  ])(
    "a wait lasts no more than two ttls when the holder and very many waiters fall silent: %i waiters, %i ms",
    (waiters, ms) => lastsWhenAllBeforeFallSilent(waiters, ms, MOST + lifeInStore(TTL)),
  );

  test("a wait lasts no more than a ttl when the lock was handed on before the holder and all waiters fell silent", async () => {
    const [one, ...dying] = await Promise.all(Array.from({ length: 5 }, () => enter()));
    const lease = await one?.locks.acquire("a");
    for (const each of dying) {
      each.locks.acquire("a", { wait: 600_000 }).catch(() => {});
      await clock.advance(100);
    }
    const next = (await enter()).locks.acquire("a", { wait: 600_000 });
    await clock.advance(7_000);
    await lease?.release();
    await clock.advance(7_000);
    for (const each of dying) cut(each);
    await clock.until(next, MOST);
  });

  test("a wait lasts for no more than a ttl even where the holder renewed its session for the last time before it was watched", async () => {
    const [one, two] = await three();
    await one.locks.acquire("a");
    await clock.advance(TTL / 3 - 100);
    const next = two.locks.acquire("a", { wait: 600_000 });
    await clock.advance(250);
    cut(one);
    await clock.until(next, MOST);
  });

  test("a wait lasts for no more than a ttl even where one of those before could not be read when it was to be watched", async () => {
    const dying = [await enter(), await enter(), await enter()];
    await dying[0]?.locks.acquire("a");
    for (const each of dying.slice(1)) {
      void rejection(each.locks.acquire("a", { wait: 600_000 }));
      await clock.advance(10);
    }
    const last = await enter();
    const waiting = ticketsOf(await last.channel.get(queueKey("a")));
    const { read } = last.way;
    let failed = false;
    last.way.read = async (keys, options) => {
      if (!keys.some((key) => key.includes(waiting[0]?.session ?? ""))) return read.call(last.way, keys, options);
      last.way.read = read;
      failed = true;
      throw new ChannelError("UNAVAILABLE", "away", { retryable: true });
    };
    const next = last.locks.acquire("a", { wait: 600_000 });
    // It begins to watch the sessions at its first check, and again at the next one.
    await clock.advance(450);
    expect(failed).toBe(true);
    for (const each of dying) cut(each);
    await clock.until(next, MOST);
  });

  test("a wait does not end the lease of the holder before its time", async () => {
    const [one, two] = await three();
    const lease = await one.locks.acquire("a", { timeout: 600_000 });
    const next = rejection(two.locks.acquire("a", { wait: 300_000 }));
    await clock.until(next, 300_000);
    expect(lease.signal.aborted).toBe(false);
  });
});
