import { beforeEach, describe, expect, test } from "vitest";
import { FakeClock, settled } from "../../testing/fake-clock.js";
import { keptBy } from "../../testing/kept-by.js";
import { rejection } from "../../testing/settle.js";
import { HandDriven } from "../../testing/stores/hand-driven.js";
import { World } from "../../testing/world.js";
import type { Channel } from "../channel.js";
import { encodeKey } from "../encoding/key.js";
import { storedVersion } from "../encoding/version.js";
import { ChannelError } from "../errors.js";
import { openChannel } from "../open.js";
import type { WatchEvent } from "../types.js";

/** An event of a watch as a short text. */
function short(event: WatchEvent): string {
  if (event.type === "put") return `${event.entry.key}=${event.entry.value} @${storedVersion(event.entry.version)}`;
  if (event.type === "delete")
    return `-${event.key} @${storedVersion(event.version)}${event.expired === true ? " expired" : ""}`;
  return event.type;
}

/** Follows a watch and records its events. */
function follow(events: AsyncIterable<WatchEvent>): { told: string[]; end: Promise<unknown> } {
  const told: string[] = [];
  const end = (async () => {
    for await (const event of events) told.push(short(event));
  })();
  end.catch(() => {});
  return { told, end };
}

describe("watches, of a backend driven by hand", () => {
  const key = (name: string): string => `c ${encodeKey(name)}`;
  let clock: FakeClock;
  let store: HandDriven;
  let channel: Channel;

  beforeEach(async () => {
    clock = new FakeClock();
    store = new HandDriven();
    channel = await openChannel("c", { backend: store, clock });
  });

  const put = (name: string, value: unknown, version: number, expiresIn?: number): void => {
    store.entries = store.entries.filter((entry) => entry.key !== key(name));
    const more = expiresIn === undefined ? {} : { expiresIn };
    store.entries.push({ key: key(name), value: JSON.stringify(value), version: String(version), ...more });
  };

  test("a watch reports the snapshot, then synced, and then each change", async () => {
    put("a", 1, 1);
    put("b", 2, 2);
    const { told } = follow(channel.watch());
    await settled();
    expect(told).toEqual(["a=1 @1", "b=2 @2", "synced"]);
    store.tell(key("a"), 3, 3);
    store.tell(key("b"), null, 4);
    store.tell(key("c"), "new", 5);
    await settled();
    expect(told.slice(3)).toEqual(["a=3 @3", "-b @4", "c=new @5"]);
  });

  test("a watch of an empty channel reports synced at once", async () => {
    const { told } = follow(channel.watch());
    await settled();
    expect(told).toEqual(["synced"]);
  });

  test("a watch does not report a version again that the snapshot held, nor an older one", async () => {
    put("a", 1, 5);
    store.beforePage = () => {
      store.tell(key("a"), 0, 4);
      store.tell(key("a"), 1, 5);
      store.tell(key("a"), 2, 6);
    };
    const { told } = follow(channel.watch());
    await settled();
    store.tell(key("a"), 2, 6);
    store.tell(key("a"), "10th is later than the 9th", 10);
    await settled();
    expect(told).toEqual(["a=1 @5", "synced", "a=2 @6", "a=10th is later than the 9th @10"]);
  });

  test("a watch reports the delete of an entry of the snapshot, and of no entry that it never reported", async () => {
    put("a", 1, 1);
    store.beforePage = () => {
      store.tell(key("a"), null, 3);
      store.tell(key("never"), null, 4);
    };
    const { told } = follow(channel.watch());
    await settled();
    expect(told).toEqual(["a=1 @1", "synced", "-a @3"]);
  });

  test("a watch reports an entry that was written again after a delete", async () => {
    put("a", 1, 1);
    const { told } = follow(channel.watch());
    await settled();
    store.tell(key("a"), null, 2);
    store.tell(key("a"), 2, 3);
    await settled();
    expect(told.slice(2)).toEqual(["-a @2", "a=2 @3"]);
  });

  test("a watch reports a new snapshot after a gap, up to the next synced", async () => {
    put("a", 1, 1);
    put("b", 1, 2);
    const { told } = follow(channel.watch());
    await settled();
    store.entries = [];
    put("a", 1, 1);
    put("c", 1, 9);
    for (const sink of store.sinks) sink.gap();
    store.tell(key("c"), 1, 9);
    await settled();
    store.tell(key("c"), 2, 10);
    await settled();
    expect(told.slice(3)).toEqual(["gap", "a=1 @1", "c=1 @9", "synced", "c=2 @10"]);
  });

  test("a gap during the snapshot makes a watch report another snapshot", async () => {
    put("a", 1, 1);
    store.beforePage = () => {
      store.beforePage = () => {};
      for (const sink of store.sinks) sink.gap();
    };
    const { told } = follow(channel.watch());
    await settled();
    expect(told).toEqual(["a=1 @1", "synced", "gap", "a=1 @1", "synced"]);
  });

  test("a watch with a slow reader drops changes beyond a limit, and reports a gap and a new snapshot instead", async () => {
    const events = channel.watch()[Symbol.asyncIterator]();
    expect((await events.next()).value).toEqual({ type: "synced" });
    for (let i = 1; i <= 25_000; i++) {
      put("a", i, i);
      store.tell(key("a"), i, i);
    }
    const told: string[] = [];
    while (told.at(-1) !== "synced") told.push(short((await events.next()).value as WatchEvent));
    expect(told).toEqual(["gap", "a=25000 @25000", "synced"]);
    await events.return?.();
    expect(store.sinks.size).toBe(0);
  });

  test("a watch reports an expiry that the store does not report, once the store says that the entry is gone", async () => {
    put("a", 1, 1, 1_000);
    const { told } = follow(channel.watch());
    await settled();
    await clock.advance(999);
    // The store's clock is slightly behind ours.
    put("a", 1, 1, 20);
    await clock.advance(1);
    expect(told).toEqual(["a=1 @1", "synced"]);
    store.entries = [];
    await clock.advance(20);
    expect(told.slice(2)).toEqual(["-a @1 expired"]);
    // The store reports it too, later.
    store.tell(key("a"), null, 2);
    await settled();
    expect(told.length).toBe(3);
  });

  test("a watch reports no expiry of an entry that was renewed", async () => {
    const { told } = follow(channel.watch());
    await settled();
    put("a", 1, 1, 1_000);
    store.tell(key("a"), 1, 1, 1_000);
    await clock.advance(900);
    put("a", 2, 2);
    store.tell(key("a"), 2, 2);
    await clock.advance(10_000);
    expect(told).toEqual(["synced", "a=1 @1", "a=2 @2"]);
    expect(clock.pending).toBe(0);
  });

  test("a watch asks the store again about an expiry when the store was away", async () => {
    put("a", 1, 1, 1_000);
    const { told } = follow(channel.watch());
    await settled();
    const read = store.read.bind(store);
    store.read = () => Promise.reject(new ChannelError("UNAVAILABLE", "away", { retryable: true }));
    await clock.advance(3_000);
    store.read = read;
    store.entries = [];
    await clock.advance(1_000);
    expect(told.at(-1)).toBe("-a @1 expired");
  });

  test.each(["break", "signal", "close"])(
    "a watch ended by %s leaves no timer, and no watch in the store",
    async (how) => {
      put("a", 1, 1, 1_000);
      const stop = new AbortController();
      let told = 0;
      const end = (async () => {
        for await (const event of channel.watch({ signal: stop.signal })) {
          told++;
          if (how === "break" && event.type === "synced") break;
        }
      })();
      await settled();
      if (how === "signal") stop.abort();
      if (how === "close") await channel.close();
      await end;
      store.tell(key("a"), 2, 2);
      await settled();
      expect(told).toBe(2);
      expect(store.sinks.size).toBe(0);
      expect(clock.pending).toBe(0);
    },
  );

  test("a watch that is ended while the snapshot is being read ends without an error", async () => {
    const stop = new AbortController();
    const one = follow(channel.watch({ signal: stop.signal }));
    store.beforePage = () => new Promise(() => {});
    const two = follow(channel.watch());
    await settled();
    stop.abort();
    await one.end;
    store.beforePage = () => {};
    expect(two.told).toEqual([]);
  });

  test("a watch with a signal that has fired already reports nothing", async () => {
    const { told, end } = follow(channel.watch({ signal: AbortSignal.abort() }));
    await end;
    expect(told).toEqual([]);
  });

  test("a watch reports the changes that came before, and then fails with the error of the backend", async () => {
    const { told, end } = follow(channel.watch());
    await settled();
    store.tell(key("a"), 1, 1);
    for (const sink of store.sinks) sink.fail(new ChannelError("DENIED", "no more"));
    expect(await rejection(end)).toMatchObject({ code: "DENIED" });
    expect(told).toEqual(["synced", "a=1 @1"]);
    expect(store.sinks.size).toBe(0);
  });

  test("a watch is refused on a store that cannot be watched, and on a closed channel", async () => {
    const deaf = await openChannel("c", { backend: new HandDriven({ watch: false }), clock });
    expect(await rejection(follow(deaf.watch()).end)).toMatchObject({ code: "NOT_SUPPORTED" });
    await channel.close();
    expect(await rejection(follow(channel.watch()).end)).toMatchObject({ code: "CLOSED" });
  });
});

test("a watch with a prefix reports only the entries below the prefix", async () => {
  const world = new World();
  const channel = await openChannel("c", { backend: await world.way(), clock: world.clock });
  await channel.set(["a", 1], "in");
  await channel.set(["ab", 1], "out");
  const { told } = follow(channel.watch({ prefix: ["a"] }));
  await settled();
  await channel.set(["a", 2], "in");
  await channel.set(["b"], "out");
  await channel.unset(["a", 1]);
  await settled();
  expect(told).toEqual(["a,1=in @1", "synced", "a,2=in @3", "-a,1 @5"]);
});

test("a signal that outlives many watches keeps no listeners of them", async () => {
  const channel = await openChannel("c", { backend: new HandDriven() });
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) for await (const { type } of channel.watch({ signal })) if (type === "synced") break;
  expect(keptBy(signal)).toBe(0);
  const ended = new AbortController();
  ended.abort();
  for await (const _ of channel.watch({ signal: ended.signal })) expect.unreachable();
});

test("the events of a watch, applied in order, give the entries of the channel under many writers", async () => {
  const world = new World(7);
  const channel = await openChannel<number>("c", { backend: await world.way(), clock: world.clock });
  const seen = new Map<unknown, number>();
  let last = "0";
  const events = (async () => {
    for await (const event of channel.watch()) {
      if (event.type === "put") seen.set(event.entry.key, event.entry.value);
      if (event.type === "delete") seen.delete(event.key);
      if (event.type === "put" || event.type === "delete") {
        last = event.type === "put" ? event.entry.version : event.version;
      }
    }
  })();
  for (let i = 0; i < 2_000; i++) {
    const key = Number(world.clock.random(1).charCodeAt(0) % 9);
    if (i % 7 === 0) await channel.unset(key);
    else if (i % 11 === 0) await channel.set(key, i, { ttl: 5 });
    else await channel.set(key, i);
    if (i % 50 === 0) await world.clock.advance(3);
  }
  await world.clock.advance(10);
  const there = new Map<unknown, number>();
  for await (const { key, value } of channel.entries()) there.set(key, value);
  expect(new Map([...seen].sort())).toEqual(new Map([...there].sort()));
  expect(Number(last)).toBeGreaterThan(1_900);
  await channel.close();
  await events;
});
