import { beforeEach, describe, expect, test } from "vitest";
import { collect, rejection } from "../testing/settle.js";
import { HandDriven } from "../testing/stores/hand-driven.js";
import { World } from "../testing/world.js";
import type { Channel } from "./channel.js";
import { encodeKey } from "./encoding/key.js";
import { openChannel } from "./open.js";
import type { EntriesOptions } from "./types.js";

let channel: Channel<number>;

beforeEach(async () => {
  const world = new World();
  channel = await openChannel<number>("c", { backend: await world.way(), clock: world.clock });
});

async function fill(count: number): Promise<void> {
  for (let from = 0; from < count; from += 1_000) {
    const some = Array.from({ length: Math.min(1_000, count - from) }, (_, i) => from + i);
    await channel.commit(some.map((i) => ({ put: i, value: i })));
  }
}

const values = async (options: EntriesOptions = {}): Promise<number[]> => channel.getAll(options);

describe("scans", () => {
  test.each([0, 1, 499, 500, 501, 999, 1_000, 1_001, 1_500])(
    "a scan of %i entries shows each entry once, in both directions",
    async (n) => {
      await fill(n);
      const all = Array.from({ length: n }, (_, i) => i);
      expect(await values()).toEqual(all);
      expect(await values({ reverse: true })).toEqual(all.reverse());
      expect(await channel.size()).toBe(n);
    },
  );

  test.each([0, 1, 2, 499, 500, 501, 1_000, 5_000])("a scan ends at a limit of %i", async (limit) => {
    await fill(1_200);
    const first = await values({ limit });
    expect(first).toEqual(Array.from({ length: Math.min(limit, 1_200) }, (_, i) => i));
    expect((await values({ limit, reverse: true })).length).toBe(first.length);
  });

  test.each([-1, 1.5, Number.NaN, "ten"])("a scan refuses a limit of %s", async (limit) => {
    await fill(3);
    expect(await rejection(values({ limit: limit as number }))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("a scan is resumed by after and before, in both directions", async () => {
    await fill(1_100);
    const read: number[] = [];
    for (let last: number | undefined; ; ) {
      const page = await values({ limit: 333, ...(last === undefined ? {} : { after: last }) });
      if (page.length === 0) break;
      read.push(...page);
      last = page.at(-1);
    }
    expect(read).toEqual(Array.from({ length: 1_100 }, (_, i) => i));
    expect(await values({ before: 3 })).toEqual([0, 1, 2]);
    expect(await values({ after: 1_097 })).toEqual([1_098, 1_099]);
    expect(await values({ after: 5, before: 9, reverse: true })).toEqual([8, 7, 6]);
    expect(await values({ after: 9, before: 5 })).toEqual([]);
    expect(await values({ after: 5, before: 6 })).toEqual([]);
    // Between two keys, where there is no entry.
    expect(await values({ after: 5.5, before: 7.5 })).toEqual([6, 7]);
  });

  test("a scan reads keys in the order of their parts, and only below its prefix", async () => {
    const keys = [["a"], ["a", -5], ["a", 2], ["a", 10], ["a", "x"], ["a!"], ["a b", 1], ["ab"], ["b"]];
    for (const [i, key] of keys.entries()) await channel.set(key, i);
    const below = (await channel.getKeys({ prefix: ["a"] })).map(String);
    expect(below).toEqual(["a", "a,x", "a,-5", "a,2", "a,10"]);
    expect(await channel.getKeys({ prefix: ["a"], after: ["a", "x"], limit: 2 })).toEqual([
      ["a", -5],
      ["a", 2],
    ]);
    expect(await channel.getKeys({ prefix: ["a"], before: ["b"], reverse: true, limit: 1 })).toEqual([["a", 10]]);
  });

  test("a scan shows each entry that exists all the time exactly once, whatever else changes", async () => {
    await fill(2_000);
    const seen: number[] = [];
    for await (const { key } of channel.entries()) {
      const at = key as number;
      seen.push(at);
      // Behind the scan, ahead of it, and at its position.
      if (at % 2 === 0)
        await channel.commit([{ delete: at }, { put: at + 0.5, value: at }, { put: -at - 1, value: at }]);
      if (at % 100 === 1) await channel.unset(at + 2);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    const kept = Array.from({ length: 1_000 }, (_, i) => 2 * i + 1).filter((i) => i % 100 !== 3);
    const shown = new Set(seen);
    for (const key of kept) expect(shown.has(key)).toBe(true);
  });

  test("a scan of keys reports when an entry expires", async () => {
    await channel.set(1, 1, { ttl: 1_000 });
    await channel.set(2, 2);
    const found = await collect(channel.keys());
    expect(found.map(({ expiresIn }) => expiresIn)).toEqual([1_000, undefined]);
  });

  test("a scan asks the store for no more entries than it shows", async () => {
    const store = new HandDriven();
    store.entries = Array.from({ length: 3_000 }, (_, i) => ({ key: `c ${encodeKey(i)}`, value: "1", version: "1" }));
    const hand = await openChannel("c", { backend: store });
    await collect(hand.entries({ limit: 10, reverse: true }));
    expect(store.scans).toMatchObject([{ limit: 10, reverse: true, values: true }]);
    store.scans.length = 0;
    for await (const { key } of hand.keys()) if (key === 700) break;
    expect(store.scans).toMatchObject([{ values: false }, { values: false }]);
    await hand.close();
  });

  test("a scan is ended by close and by its signal, also between two entries", async () => {
    await fill(10);
    const stop = new AbortController();
    const one = (async () => {
      for await (const _ of channel.entries({ signal: stop.signal })) stop.abort();
    })();
    // Entries that were read by then may still come.
    await one.catch((error: unknown) => expect(error).toMatchObject({ code: "ABORTED" }));
    await fill(1_000);
    const two = (async () => {
      for await (const _ of channel.entries({ signal: AbortSignal.abort() })) expect.unreachable();
    })();
    expect(await rejection(two)).toMatchObject({ code: "ABORTED", outcome: "not-applied" });
    const three = (async () => {
      for await (const _ of channel.entries()) await channel.close();
    })();
    expect(await rejection(three)).toMatchObject({ code: "CLOSED" });
  });
});

describe("foreign keys in a store", () => {
  const FOREIGN = ["", "[", '["lock', '"3x', "=500:5"];

  /** A channel of the numbers from 0 to 9, with keys of another program between them. */
  async function mixed(): Promise<Channel<number>> {
    const world = new World();
    const way = await world.way();
    const channel = await openChannel<number>("c", { backend: way, clock: world.clock });
    await channel.commit(Array.from({ length: 10 }, (_, i) => ({ put: i, value: i })));
    await way.commit({ checks: [], writes: FOREIGN.map((key) => ({ key: `c ${key}`, value: "1" })) });
    return channel;
  }

  test("a foreign key is left out of the listed keys, and does not count towards their limit", async () => {
    const channel = await mixed();
    const all = Array.from({ length: 10 }, (_, i) => i);
    expect(await channel.getKeys()).toEqual(all);
    expect(await channel.getKeys({ reverse: true })).toEqual([...all].reverse());
    for (const limit of [1, 2, 7, 10]) {
      expect(await channel.getKeys({ limit })).toEqual(all.slice(0, limit));
      expect(await channel.getKeys({ limit, reverse: true })).toEqual([...all].reverse().slice(0, limit));
    }
    expect(await channel.size()).toBe(10);
  });

  test("a foreign key makes a scan of the entries reject as CORRUPT", async () => {
    const channel = await mixed();
    expect(await rejection(channel.getAll())).toMatchObject({ code: "CORRUPT" });
    expect(await channel.get(5)).toBe(5);
  });

  test("a foreign key does not keep shift from removing the other entries", async () => {
    const channel = await mixed();
    for (let i = 0; i < 10; i++) expect(await channel.shift()).toEqual(expect.any(Number));
    expect(await channel.shift()).toBeUndefined();
  });
});
