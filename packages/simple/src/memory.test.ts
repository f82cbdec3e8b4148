import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock, StoredChange } from "@ojm/core/backend";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { Memory } from "./memory.js";

const ALL = { from: "", to: "\uFFFF" };

let now: number;
/** How often the clock was read: once for each visited entry with a time to live. */
let asked: number;
let memory: Memory;
let clock: Clock;

beforeEach(() => {
  now = 1_000;
  asked = 0;
  const monotonic = (): number => {
    asked++;
    return now;
  };
  clock = { now: () => 0, monotonic, after: () => () => {}, random: () => "" };
  memory = new Memory(clock);
});

/**
 * Records the maps that a new memory creates: the map of its entries, and each copy without the removed ones.
 */
function recordMaps(): { readonly made: Map<unknown, unknown>[]; mostKept: number } {
  const record = { made: [] as Map<unknown, unknown>[], mostKept: 0 };
  class RecordedMap<K, V> extends Map<K, V> {
    constructor(entries?: Iterable<readonly [K, V]>) {
      super(entries);
      record.made.push(this);
    }

    override set(key: K, value: V): this {
      super.set(key, value);
      record.mostKept = Math.max(record.mostKept, this.size);
      return this;
    }
  }
  vi.stubGlobal("Map", RecordedMap);
  onTestFinished(() => void vi.unstubAllGlobals());
  memory = new Memory(clock);
  return record;
}

const put = (key: string, value = "1", ttl?: number): void => {
  memory.commit({ checks: [], writes: [{ key, value, ...(ttl === undefined ? {} : { ttl }) }] });
};
const keys = (options: { reverse?: boolean; limit?: number } = {}): string[] =>
  memory.scan({ ...ALL, reverse: false, limit: 1_000_000, values: true, ...options }).entries.map(({ key }) => key);

describe("an entry with a time to live", () => {
  test("an entry with a time to live is there until its deadline, for reads, scans and checks alike", () => {
    put("a", "1", 100);
    const version = memory.get("a")?.version ?? "";
    now += 99.999;
    expect(memory.get("a")?.expiresIn).toBeCloseTo(0.001);
    expect(keys()).toEqual(["a"]);
    expect(memory.commit({ checks: [{ key: "a", version }], writes: [] }).ok).toBe(true);
    now += 0.001;
    expect(memory.get("a")).toBeUndefined();
    expect(keys()).toEqual([]);
    expect(memory.commit({ checks: [{ key: "a", version }], writes: [] })).toEqual({ ok: false, current: [undefined] });
    expect(memory.commit({ checks: [{ key: "a", version: null }], writes: [{ key: "a", value: "2" }] }).ok).toBe(true);
    expect(memory.get("a")).not.toHaveProperty("expiresIn");
  });

  test("an entry that was renewed, or lost its time to live, outlasts the first deadline", () => {
    put("a", "1", 100);
    put("b", "1", 100);
    now += 50;
    put("a", "2", 100);
    put("b", "2");
    now += 60;
    put("c");
    expect(keys()).toEqual(["a", "b", "c"]);
    now += 1_000;
    put("c");
    expect(keys()).toEqual(["b", "c"]);
  });

  test("an expired entry does not come back when another key is written", () => {
    for (let i = 0; i < 1_000; i++) put(`${i}`, "1", 1 + i);
    for (let i = 0; i < 1_000; i++) {
      now += 1;
      put("other");
      expect(memory.get(`${i}`)).toBeUndefined();
    }
    expect(keys()).toEqual(["other"]);
  });

  test("later commits remove expired entries from memory, and do not only hide them", () => {
    for (let i = 0; i < 1_000; i++) put(`${i}`, "1", 5 + (i % 3));
    for (let i = 0; i < 1_000; i++) {
      now += 1;
      put("other");
    }
    asked = 0;
    expect(keys()).toEqual(["other"]);
    expect(asked).toBe(0);
  });

  test("a page of a scan is filled past expired entries", () => {
    for (let i = 0; i < 10; i++) put(`${i}`, "1", i % 2 === 0 ? 5 : undefined);
    now += 5;
    const page = memory.scan({ ...ALL, reverse: false, limit: 3, values: true });
    expect(page.entries.map(({ key }) => key)).toEqual(["1", "3", "5"]);
    expect(page.more).toBe(true);
    const rest = memory.scan({ from: "6", to: ALL.to, reverse: false, limit: 2, values: true });
    expect(rest).toMatchObject({ entries: [{ key: "7" }, { key: "9" }], more: false });
  });
});

describe("a commit", () => {
  test("a commit that deletes a key leaves nothing of the key, which is listed once when it is made again", () => {
    for (let i = 0; i < 3; i++) {
      put("a");
      put("b", "1", 10);
      memory.commit({ checks: [], writes: ["a", "b"].map((key) => ({ key, value: null })) });
    }
    put("a");
    put("b");
    expect(keys()).toEqual(["a", "b"]);
  });

  test("a commit whose check does not hold writes nothing, and shows the entries of that moment", () => {
    put("a", "A");
    const version = memory.get("a")?.version ?? "";
    const checks = [
      { key: "a", version },
      { key: "b", version: "5" },
      { key: "c", version: null },
    ];
    const outcome = memory.commit({ checks, writes: [{ key: "x", value: "1" }] });
    expect(outcome).toEqual({ ok: false, current: [{ key: "a", value: "A", version }, undefined, undefined] });
    expect(keys()).toEqual(["a"]);
  });

  test("a commit gives all its writes one version above every earlier one, also across deletes", () => {
    let last = 0n;
    for (let i = 0; i < 100; i++) {
      const outcome = memory.commit({
        checks: [],
        writes: [
          { key: "a", value: i % 3 === 0 ? null : "1" },
          { key: "b", value: "1" },
        ],
      });
      const version = BigInt(outcome.ok ? outcome.version : 0);
      expect(version).toBeGreaterThan(last);
      expect(memory.get("b")?.version).toBe(String(version));
      last = version;
    }
  });
});

describe("removed keys", () => {
  test("removed keys are swept out of memory", () => {
    const record = recordMaps();
    for (let i = 0; i < 10_000; i++) {
      put(`key ${i}`);
      memory.commit({ checks: [], writes: [{ key: `key ${i}`, value: null }] });
    }
    vi.unstubAllGlobals();
    expect(record.mostKept).toBe(1_001);
    expect(record.made.length).toBeGreaterThan(5);
  });

  test("removed keys can come back, and present keys stay, however many keys come and go", () => {
    for (let i = 0; i < 100; i++) put(`stays ${i}`, String(i));
    for (let i = 0; i < 10_000; i++) {
      put(`key ${i % 3_000}`, String(i));
      if (i % 7 > 0) memory.commit({ checks: [], writes: [{ key: `key ${i % 3_000}`, value: null }] });
    }
    expect(keys().filter((key) => key.startsWith("stays"))).toHaveLength(100);
    for (let i = 9_000; i < 10_000; i++) {
      expect(memory.get(`key ${i % 3_000}`)?.value).toBe(i % 7 > 0 ? undefined : String(i));
    }
  });

  test("a key that is removed and used again many times is kept once, and needs no sweep", () => {
    const record = recordMaps();
    for (let i = 0; i < 5_000; i++) {
      put("lock");
      memory.commit({ checks: [], writes: [{ key: "lock", value: null }] });
    }
    vi.unstubAllGlobals();
    expect(record.mostKept).toBe(1);
    expect(record.made.length).toBe(1);
  });
});

test("a key that is removed before its deadline leaves no deadline behind", () => {
  const made: Set<unknown>[] = [];
  class RecordedSet<T> extends Set<T> {
    constructor(values?: Iterable<T>) {
      super(values);
      made.push(this);
    }
  }
  vi.stubGlobal("Set", RecordedSet);
  onTestFinished(() => void vi.unstubAllGlobals());
  memory = new Memory(clock);
  for (let i = 0; i < 100; i++) {
    put(`session ${i}`, "1", 1e9);
    memory.commit({ checks: [], writes: [{ key: `session ${i}`, value: null }] });
  }
  expect(made.length).toBeGreaterThan(0);
  expect(Math.max(...made.map(({ size }) => size))).toBe(0);
});

test("a text that was put together of many pieces takes no more memory than its characters", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const text = (i: number): string => {
    let joined = `${i}`;
    for (let piece = 0; piece < 150; piece++) joined += "a few letters";
    return joined;
  };
  put("a", text(0));
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 2_000; i++) put(`key ${i}`, text(i));
  collect();
  const each = (process.memoryUsage().heapUsed - before) / 2_000;
  expect(each).toBeLessThan(1.6 * text(0).length);
  expect(memory.get("key 7")?.value).toBe(text(7));
});

test("a watch receives the changes in its range, until the watch ends", () => {
  const told: StoredChange[] = [];
  const sink = { change: (change: StoredChange) => told.push(change), gap: () => {}, fail: () => {} };
  const stop = memory.watch({ from: "b", to: "d" }, sink);
  for (const key of ["a", "b", "c", "d"]) put(key);
  put("b", "2", 50);
  memory.commit({ checks: [], writes: [{ key: "c", value: null }] });
  stop();
  put("b");
  expect(told).toEqual([
    { key: "b", value: "1", version: "2" },
    { key: "c", value: "1", version: "3" },
    { key: "b", value: "2", version: "5", expiresIn: 50 },
    { key: "c", value: null, version: "6" },
  ]);
});

test("a million entries are written, found, counted from the end, and removed", { tags: ["full"] }, () => {
  const many = 1_000_000;
  const name = (i: number): string => `job ${String(Math.floor(i / 1_000)).padStart(3, "0")} ${i % 1_000}`;
  for (let from = 0; from < many; from += 10_000) {
    const writes = Array.from({ length: 10_000 }, (_, i) => ({ key: name(from + i), value: "1" }));
    memory.commit({ checks: [], writes });
  }
  const newest = memory.scan({ from: "job 500 ", to: "job 500!", reverse: true, limit: 3, values: true });
  expect(newest.entries.map(({ key }) => key)).toEqual([500_999, 500_998, 500_997].map(name));
  expect(newest.more).toBe(true);
  expect(memory.get(name(123_456))?.value).toBe("1");
  for (let i = 0; i < 1_000; i++) memory.commit({ checks: [], writes: [{ key: name(i), value: null }] });
  const next = memory.scan({ from: "job 000 ", to: "\uFFFF", reverse: false, limit: 1, values: false });
  expect(next.entries[0]?.key).toBe(name(1_000));
});

test("many entries that expire one after the other do not make each write slow", () => {
  const writes = (): number => {
    const start = process.cpuUsage().user;
    for (let i = 0; i < 20_000; i++) {
      now += 1;
      put("other");
    }
    return process.cpuUsage().user - start;
  };
  writes();
  const alone = writes();
  for (let i = 0; i < 50_000; i++) put(`key ${i}`, "1", 1_000 + i);
  // Visiting all of them with each write would take thousands of times as long.
  expect(writes()).toBeLessThan(100 * alone);
  now += 100_000;
  put("other");
  expect(keys()).toEqual(["other"]);
});
