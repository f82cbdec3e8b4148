import { beforeEach, describe, expect, test } from "vitest";
import { ChannelError, isChannelError } from "../channel/errors.js";
import { type FakeClock, settled } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import type { Call, Fault } from "../testing/stores/faulty-backend.js";
import { waiting } from "../testing/tickets.js";
import { type LocksOf, World } from "../testing/world.js";
import { queueKey } from "./entries/schema.js";
import { ticketsOf } from "./entries/valid.js";
import { leaveQueue } from "./entries/view.js";

const TTL = 15_000;

let world: World;
let clock: FakeClock;

beforeEach(() => {
  world = new World();
  clock = world.clock;
});

/** The next commit is applied, and then the driver fails with an error that is not a ChannelError. */
function breakOnce({ way }: LocksOf): void {
  const { commit } = way;
  way.commit = async (it, options) => {
    way.commit = commit;
    await way.commit(it, options);
    throw new TypeError("no such property");
  };
}

const onWrite =
  (part: string, fault: Fault) =>
  (call: Call): Fault | undefined =>
    call.kind === "commit" && call.commit.writes.some(({ key }) => key.includes(part)) ? fault : undefined;

describe("attempts with an unknown outcome", () => {
  test.each(["reply lost", "request lost"] as const)(
    "a lock attempt with an unknown outcome is cleaned up: %s",
    async (type) => {
      const one = await world.locks();
      await (await one.locks.acquire("warm up")).release();
      one.way.once("lock", { type });
      const error = await clock.until(rejection(one.locks.acquire("a")));
      expect(isChannelError(error) && error.outcome).toBe("unknown");
      expect(await one.locks.find("a")).toEqual(type === "reply lost" ? expect.anything() : undefined);
      await clock.advance(TTL / 2);
      expect(await one.channel.size({ prefix: ["lock"] })).toBe(0);
      const two = await world.locks();
      await two.locks.acquire("a");
    },
  );

  test("a lock attempt with an unknown outcome is cleaned up after an error of a broken driver, too", async () => {
    const one = await world.locks();
    await (await one.locks.acquire("warm up")).release();
    breakOnce(one);
    expect(await rejection(one.locks.acquire("a"))).toMatchObject({
      code: "FAILED",
      message: "the backend failed: no such property",
    });
    expect(await one.locks.find("a")).toBeDefined();
    await clock.advance(TTL / 2);
    expect(await one.channel.size({ prefix: ["lock"] })).toBe(0);
  });

  test("a lock attempt that is applied after it was cleaned up takes no lock", async () => {
    for (let ms = 0; ms < TTL; ms += 500) {
      const one = await world.locks();
      await (await one.locks.acquire("warm up")).release();
      one.way.once('"a', { type: "late", ms });
      await clock.until(rejection(one.locks.acquire("a")));
      await clock.advance(3 * TTL);
      expect(await one.channel.size({ prefix: ["lock"] })).toBe(0);
      await one.locks.close();
    }
  });

  test("a lock attempt is not taken for cleaned up by a question that was asked before the attempt failed", async () => {
    const one = await world.locks();
    await one.locks.acquire("kept");
    // The beat's check of "kept" takes over a second. Meanwhile an attempt is made, fails, and is applied
    // late.
    one.way.fault = (call) =>
      call.kind === "commit" && call.commit.writes.length === 0 ? { type: "slow", ms: 1_500 } : undefined;
    await clock.advance(TTL / 3);
    one.way.once('"a', { type: "late", ms: 2_000 });
    await clock.until(rejection(one.locks.acquire("a")));
    await clock.advance(3 * TTL);
    expect(await one.locks.find("a")).toBeUndefined();
  });
});

describe("tickets with an unknown outcome", () => {
  test.each(["reply lost", "request lost"] as const)(
    "a ticket with an unknown outcome is cleaned up: %s",
    async (type) => {
      const one = await world.locks();
      const two = await world.locks();
      await one.locks.acquire("a");
      two.way.once("queue", { type });
      await clock.until(rejection(two.locks.acquire("a", { wait: 60_000 })));
      await clock.advance(TTL / 2);
      expect(await waiting(one)).toBe(0);
    },
  );

  test("a ticket that a broken driver writes late is cleaned up", async () => {
    const [one, two] = [await world.locks(), await world.locks()];
    await one.locks.acquire("a");
    await (await two.locks.acquire("warm up")).release();
    const { commit } = two.way;
    two.way.commit = async (it, options) => {
      if (!it.writes.some(({ key }) => key.includes("queue"))) return commit.call(two.way, it, options);
      two.way.commit = commit;
      clock.after(1_000, () => void two.way.commit(it, options));
      throw new TypeError("no such property");
    };
    expect(await rejection(two.locks.acquire("a", { wait: 60_000 }))).toMatchObject({ code: "FAILED" });
    await clock.advance(1_000);
    expect(await waiting(one)).toBe(1);
    await clock.advance(TTL / 2);
    expect(await waiting(one)).toBe(0);
  });

  test("a ticket that was withdrawn while the program was busy is missed as soon as the program is free again", async () => {
    const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
    const lease = await one.locks.acquire("a");
    const first = two.locks.acquire("a", { wait: 60_000 });
    await settled();
    const second = three.locks.acquire("a", { wait: 60_000 });
    await clock.advance(100);
    const tickets = ticketsOf(await one.channel.get(queueKey("a")));
    // As the heartbeat thread does.
    clock.block(TTL / 6);
    await leaveQueue(one.channel, "a", { token: tickets[1]?.token ?? "" });
    await lease.release();
    await (await clock.until(first, 10)).release();
    await clock.until(second, 300);
  });

  test("the ticket of a wait that failed leaves the queue at once", async () => {
    const [one, two, three] = [await world.locks(), await world.locks(), await world.locks()];
    const lease = await one.locks.acquire("a");
    const first = rejection(two.locks.acquire("a", { wait: 60_000 }));
    await settled();
    const second = three.locks.acquire("a", { wait: 60_000 });
    await settled();
    let failed = false;
    two.way.fault = ({ kind }) => {
      if (failed || kind !== "scan") return undefined;
      failed = true;
      return { type: "request lost" };
    };
    expect(isChannelError(await clock.until(first))).toBe(true);
    await lease.release();
    await clock.until(second, 300);
  });

  test("a ticket that is written late does not block the lock for ever", async () => {
    for (let ms = 0; ms < TTL; ms += 500) {
      const one = await world.locks();
      const two = await world.locks();
      const lease = await one.locks.acquire("a");
      two.way.once("queue", { type: "late", ms });
      await clock.until(rejection(two.locks.acquire("a", { wait: 60_000 })));
      await clock.advance(2 * TTL);
      await lease.release();
      expect(await waiting(one)).toBe(0);
      await (await one.locks.acquire("a")).release();
      await two.locks.close();
      await one.locks.close();
    }
  });

  test("a ticket that could not be removed in time is removed when the store comes back", async () => {
    const one = await world.locks();
    const two = await world.locks();
    await one.locks.acquire("a");
    const next = rejection(two.locks.acquire("a", { wait: 2_000 }));
    await clock.advance(1_000);
    two.way.fault = onWrite("queue", { type: "refused" });
    const deleting = two.way.fault;
    await clock.until(next);
    expect(await waiting(one)).toBe(1);
    expect(two.way.fault).toBe(deleting);
    two.way.fault = () => undefined;
    await clock.advance(TTL / 2);
    expect(await waiting(one)).toBe(0);
  });
});

test("a lock that a damaged store does not let be removed is removed once the store is mended", async () => {
  const one = await world.locks();
  await (await one.locks.acquire("warm up")).release();
  one.way.once('"a', { type: "reply lost" });
  await clock.until(rejection(one.locks.acquire("a")));
  const commit = one.way.commit.bind(one.way);
  one.way.commit = async (it, options) => {
    if (it.writes.some(({ key, value }) => key.includes('"a') && value === null)) {
      throw new ChannelError("CORRUPT", "the store is damaged");
    }
    return commit(it, options);
  };
  await clock.advance(TTL);
  expect(await one.locks.find("a")).toBeDefined();
  one.way.commit = commit;
  await clock.advance(TTL);
  expect(await one.locks.find("a")).toBeUndefined();
});

test("a leftover that a damaged store keeps does not stop the cleanup of the others", async () => {
  const one = await world.locks();
  await (await one.locks.acquire("warm up")).release();
  for (const name of ["a", "b"]) {
    one.way.once(`"${name}`, { type: "reply lost" });
    await clock.until(rejection(one.locks.acquire(name)));
  }
  const commit = one.way.commit.bind(one.way);
  one.way.commit = async (it, options) => {
    if (it.writes.some(({ key, value }) => key.includes('"a') && value === null)) {
      throw new ChannelError("CORRUPT", "the store is damaged");
    }
    return commit(it, options);
  };
  await clock.advance(TTL);
  expect(await one.locks.find("a")).toBeDefined();
  expect(await one.locks.find("b")).toBeUndefined();
});
