import { beforeEach, describe, expect, test } from "vitest";
import { settled } from "../testing/fake-clock.js";
import { rejection } from "../testing/settle.js";
import type { FaultyBackend } from "../testing/stores/faulty-backend.js";
import { World } from "../testing/world.js";
import type { Channel } from "./channel.js";
import { compareVersions } from "./encoding/version.js";
import { openChannel } from "./open.js";
import type { Key, Op } from "./types.js";

let world: World;
let way: FaultyBackend;
let channel: Channel<unknown>;

beforeEach(async () => {
  world = new World();
  way = await world.way();
  channel = await openChannel<unknown>("c", { backend: way, clock: world.clock });
});

describe("errors of a backend that are not ChannelErrors", () => {
  const broken = new TypeError("no such property");

  test.each(["read", "scan", "commit", "watch"] as const)(
    "an unknown error that a backend throws is reported as FAILED: %s",
    async (call) => {
      way[call] = () => {
        throw broken;
      };
      const calls = {
        read: () => channel.get("a"),
        scan: () => channel.size(),
        commit: () => channel.set("a", 1),
        watch: () => channel.watchKey("a", { changed: () => {}, gap: () => {}, failed: () => {} }).ready,
      };
      expect(await rejection(calls[call]())).toMatchObject({
        name: "ChannelError",
        code: "FAILED",
        message: "the backend failed: no such property",
        outcome: call === "commit" ? "unknown" : "not-applied",
        retryable: false,
        cause: broken,
      });
    },
  );

  test("a watch fails with FAILED when the backend reports an unknown error later", async () => {
    const watch = way.watch.bind(way);
    way.watch = async (range, sink) => {
      const stop = await watch(range, sink);
      setTimeout(() => sink.fail(broken), 0);
      return stop;
    };
    const error = await new Promise((resolve) => {
      channel.watchKey("a", { changed: () => {}, gap: () => {}, failed: resolve });
    });
    expect(error).toMatchObject({ code: "FAILED", cause: broken });
  });
});

describe("reading and writing", () => {
  test("a value is copied when a channel writes it, and again when a channel reads it", async () => {
    const value = { list: [1, 2] };
    await channel.set("a", value);
    value.list.push(3);
    const read = (await channel.get("a")) as typeof value;
    expect(read).toEqual({ list: [1, 2] });
    read.list.push(4);
    expect(await channel.get("a")).toEqual({ list: [1, 2] });
    expect(await channel.get("b")).toBeUndefined();
    expect(await channel.entry("b")).toBeUndefined();
  });

  test("null, false, 0 and the empty text are values", async () => {
    for (const value of [null, false, 0, ""]) {
      await channel.set("a", value);
      expect(await channel.get("a")).toBe(value);
      expect(await channel.size()).toBe(1);
    }
  });

  test("every write gives a higher version, and no version comes twice, not even after a delete", async () => {
    const versions = [await channel.set("a", 1), await channel.set("a", 1)];
    await channel.unset("a");
    await channel.unset("a");
    versions.push(await channel.set("a", 1), await channel.set("b", 1));
    for (let i = 1; i < versions.length; i++) {
      expect(compareVersions(versions[i] ?? "", versions[i - 1] ?? "")).toBeGreaterThan(0);
    }
  });

  test("a compare-and-set wins at the expected version only (D15)", async () => {
    expect(await channel.compareAndSet("a", "1", 1)).toEqual({ ok: false });
    const first = await channel.compareAndSet("a", null, 1);
    expect(first.ok).toBe(true);
    expect(await channel.compareAndSet("a", null, 2)).toMatchObject({ ok: false, current: { key: "a", value: 1 } });
    const version = first.ok ? first.version : "";
    expect((await channel.compareAndSet("a", version, 2)).ok).toBe(true);
    expect((await channel.compareAndSet("a", version, 3)).ok).toBe(false);
    // A stale version does not bring a deleted key back.
    await channel.unset("a");
    expect((await channel.compareAndSet("a", version, 4)).ok).toBe(false);
    expect(await channel.get("a")).toBeUndefined();
  });

  test("of many compare-and-sets at once on one key exactly one wins", async () => {
    const tries = Array.from({ length: 100 }, (_, i) => channel.compareAndSet("a", null, i));
    const won = (await Promise.all(tries)).filter(({ ok }) => ok);
    expect(won.length).toBe(1);
  });

  test("an entry lives as long as its ttl says, and not longer", async () => {
    await channel.set("a", 1, { ttl: 100 });
    await world.clock.advance(99);
    expect((await channel.entry("a"))?.expiresIn).toBe(1);
    await world.clock.advance(1);
    expect(await channel.get("a")).toBeUndefined();
    expect(await channel.getAll()).toEqual([]);
    expect((await channel.compareAndSet("a", null, 2)).ok).toBe(true);
    expect(await channel.entry("a")).not.toHaveProperty("expiresIn");
  });

  test("a write without a ttl makes an entry that had a ttl permanent again", async () => {
    await channel.set("a", 1, { ttl: 100 });
    await channel.set("a", 2);
    await world.clock.advance(1_000);
    expect(await channel.get("a")).toBe(2);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, "10"])("a ttl of %s is refused", async (ttl) => {
    expect(await rejection(channel.set("a", 1, { ttl: ttl as number }))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("commits", () => {
  test("a commit is applied as a whole or not at all, and returns failed checks with their current entries", async () => {
    const a = await channel.set("a", "A");
    const ops: Op<unknown>[] = [
      { check: "a", version: a },
      { put: "x", value: 1 },
      { check: "b", version: "7" },
      { check: "c", version: null },
      { delete: "a" },
    ];
    await channel.set("c", "C");
    expect(await channel.commit(ops)).toEqual({
      ok: false,
      failed: [
        { channel: channel.name, key: "b" },
        { channel: channel.name, key: "c", current: { key: "c", value: "C", version: expect.any(String) } },
      ],
    });
    expect(await channel.getKeys()).toEqual(["a", "c"]);
    await channel.unset("c");
    ops.splice(2, 1);
    const result = await channel.commit(ops);
    expect(result.ok).toBe(true);
    expect(await channel.getKeys()).toEqual(["x"]);
    expect((await channel.entry("x"))?.version).toBe(result.ok && result.version);
  });

  test("a commit without writes only compares versions", async () => {
    const version = await channel.set("a", 1);
    const check = { check: "a", version } as const;
    expect((await channel.commit([check, { check: "b", version: null }])).ok).toBe(true);
    await channel.set("a", 1);
    expect((await channel.commit([check])).ok).toBe(false);
  });

  test("a commit over two channels of one store is one atomic step", async () => {
    const other = await openChannel<number>("other", { backend: way, clock: world.clock });
    await other.set("n", 1);
    const ops: Op<unknown>[] = [
      { put: "a", value: 1 },
      { put: "b", value: 2 },
    ];
    expect(await channel.commitWith(ops, [{ channel: other, ops: [{ check: "n", version: null }] }])).toMatchObject({
      ok: false,
      failed: [{ channel: "other", key: "n", current: { key: "n", value: 1 } }],
    });
    expect(await channel.size()).toBe(0);
    // The same key in two channels is two keys.
    expect((await channel.commitWith(ops, [{ channel: other, ops: [{ put: "a", value: 5 }] }])).ok).toBe(true);
    expect(await channel.get("a")).toBe(1);
    expect(await other.get("a")).toBe(5);
  });

  test.each<[string, Op<unknown>[]]>([
    ["a key written twice", [{ put: "a", value: 1 }, { delete: "a" }]],
    [
      "a key written twice, its fields in another order",
      [
        { put: { a: 1, b: 2 }, value: 1 },
        { put: { b: 2, a: 1 }, value: 1 },
      ],
    ],
    [
      "a key checked twice",
      [
        { check: "a", version: null },
        { check: "a", version: "1" },
      ],
    ],
    ["an op that checks and puts", [{ check: "a", version: null, put: "a", value: 1 } as unknown as Op<unknown>]],
    ["an op that puts and deletes", [{ put: "a", value: 1, delete: "b" } as unknown as Op<unknown>]],
  ])("a commit refuses %s, and writes nothing", async (_, ops) => {
    expect(await rejection(channel.commit(ops))).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await channel.size()).toBe(0);
  });

  test("a commit beyond the limits of the store is refused before it is sent", async () => {
    const small = await world.way({ maxOps: 2, maxKeyBytes: 20, maxValueBytes: 10, ttl: false });
    const tight = await openChannel<unknown>("t", { backend: small });
    const key = (n: number): Key => "ä".repeat(n);
    expect(await rejection(tight.set(key(9), 1))).toMatchObject({ code: "TOO_LARGE" });
    await tight.set(key(8), 1);
    expect(await rejection(tight.set("a", "ä".repeat(5)))).toMatchObject({ code: "TOO_LARGE" });
    await tight.set("a", "ä".repeat(4));
    expect(await rejection(tight.commit(["a", "b", "c"].map((k) => ({ delete: k }))))).toMatchObject({
      code: "TOO_LARGE",
    });
    expect(await rejection(tight.set("a", 1, { ttl: 5 }))).toMatchObject({ code: "NOT_SUPPORTED" });
    expect(small.commits.length).toBe(2);
  });

  test("the error of a commit does not contain the value that was refused", async () => {
    const error = (await rejection(channel.set("a", { secret: "hunter2", f: () => 1 }))) as Error;
    expect(error.message).toBe("value.f is a function, which JSON cannot hold");
  });
});

describe("abort signals of calls", () => {
  test("a call with a signal that has fired already sends nothing to the store", async () => {
    const signal = AbortSignal.abort("why");
    expect(await rejection(channel.set("a", 1, { signal }))).toMatchObject({
      code: "ABORTED",
      outcome: "not-applied",
      cause: "why",
    });
    expect(await rejection(channel.get("a", { signal }))).toMatchObject({ code: "ABORTED" });
    expect(way.commits.length + way.reads).toBe(0);
  });

  test("a signal ends the waiting of a call, and the outcome of a write is unknown then", async () => {
    const stop = new AbortController();
    way.fault = () => ({ type: "slow", ms: 1_000 });
    const write = rejection(channel.set("a", 1, { signal: stop.signal }));
    const read = rejection(channel.get("a", { signal: stop.signal }));
    await settled();
    stop.abort();
    expect(await write).toMatchObject({ code: "ABORTED", outcome: "unknown" });
    expect(await read).toMatchObject({ code: "ABORTED", outcome: "not-applied" });
  });

  test("a signal that many calls share causes no warning of a leak", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on("warning", note);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 50 }, (_, i) => channel.set(i, 1, { signal })));
    await settled();
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });
});

test("a call to a store that is away rejects, and never answers that an entry is absent", async () => {
  way.fault = () => ({ type: "refused" });
  for (const call of [channel.get("a"), channel.entry("a"), channel.getAll(), channel.size(), channel.set("a", 1)]) {
    expect(await rejection(call)).toMatchObject({ code: "UNAVAILABLE", retryable: true });
  }
});

test("after close every call of a channel rejects with CLOSED, and another close does nothing", async () => {
  await channel.close();
  await channel.close();
  expect(channel.closed).toBe(true);
  const calls: (() => Promise<unknown>)[] = [
    () => channel.get("a"),
    () => channel.set("a", 1),
    () => channel.unset("a"),
    () => channel.entry("a"),
    () => channel.getAll(),
    () => channel.getKeys(),
    () => channel.size(),
    () => channel.shift(),
    () => channel.pop(),
    () => channel.compareAndSet("a", null, 1),
    () => channel.getSet({}, "a", 1),
    () => channel.commit([]),
    () => channel.subscribe(() => {}),
    () => channel.destroy(),
  ];
  for (const call of calls) expect(await rejection(call())).toMatchObject({ code: "CLOSED" });
});

test("a channel that was opened by await using is closed at the end of its block", async () => {
  let inner: Channel;
  {
    await using opened = await openChannel("c", { backend: way });
    inner = opened;
    expect(inner.closed).toBe(false);
  }
  expect(inner.closed).toBe(true);
});
