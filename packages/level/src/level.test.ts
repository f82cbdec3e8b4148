import { getEventListeners } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type ScanRequest, systemClock } from "@ojm/core/backend";
import { channel, Recorder, write } from "@ojm/testing/backends";
import { temporaryFolder } from "@ojm/testing/folder";
import { Level } from "level";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openFolder } from "./folders.js";
import { backend } from "./index.js";
import { aroundWrites, openLevel, watchWrites } from "./testing/backends.js";

const open = (args: Record<string, unknown>) => backend.open(args, { clock: systemClock });

describe.skipIf(process.platform === "win32")("the folder of a LevelDB backend", () => {
  it("a new folder is for its owner alone, and an existing folder keeps its mode", async () => {
    const before = process.umask(0o022);
    onTestFinished(() => void process.umask(before));
    const parent = temporaryFolder();
    const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    await openLevel(join(parent, "a", "b"));
    expect([join(parent, "a"), join(parent, "a", "b")].map(modeOf)).toEqual(["700", "700"]);
    mkdirSync(join(parent, "c"));
    chmodSync(join(parent, "c"), 0o770);
    await openLevel(join(parent, "c"));
    expect(modeOf(join(parent, "c"))).toBe("770");
  });
});

describe("keys whose characters take several bytes", () => {
  it.each([..."éह😀"])("keys whose characters take several bytes are found at every length: %s", async (character) => {
    const level = await openLevel();
    // A short key first, because the driver sizes a buffer by it. With some of the following lengths, that
    // buffer ends in the middle of a character.
    await level.read(["c a"]);
    for (let length = 1; length < 120; length++) {
      const key = `c ${character.repeat(length)}`;
      const prefix = `c ${character.repeat(length - 1)}`;
      const version = await write(level, { key, value: String(length) });
      expect(await level.read([key])).toEqual([{ key, value: String(length), version }]);
      const absent = { checks: [{ key, version: null }], writes: [{ key: prefix, value: "wrong" }] };
      expect(await level.commit(absent)).toMatchObject({ ok: false });
    }
  });
});

describe("commits to LevelDB", () => {
  it("a commit creates an absent key once, and the next one gets the entry that stands in the way", async () => {
    const level = await openLevel();
    const create = { checks: [{ key: "c a", version: null }], writes: [{ key: "c a", value: "1" }] };
    const first = await level.commit(create);
    const version = first.ok ? first.version : "";
    expect(version).not.toBe("");
    expect(await level.commit(create)).toEqual({ ok: false, current: [{ key: "c a", value: "1", version }] });
  });

  it("a commit applies all writes under one version, or none", async () => {
    const level = await openLevel();
    const held = await write(level, { key: "c held", value: "0" });
    const writes = [
      { key: "c a", value: "1" },
      { key: "c held", value: null },
    ];
    const checks = [{ key: "c held", version: held }];
    const lost = await level.commit({ checks: [...checks, { key: "c a", version: "1" }], writes });
    expect(lost).toEqual({ ok: false, current: [{ key: "c held", value: "0", version: held }, undefined] });
    expect(await level.read(["c a"])).toEqual([undefined]);
    const won = await level.commit({ checks, writes });
    const version = won.ok ? won.version : "";
    expect(await level.read(["c a", "c held"])).toEqual([{ key: "c a", value: "1", version }, undefined]);
  });

  it("a commit with a stale version is refused, even after a delete, or a delete and the same value again", async () => {
    const level = await openLevel();
    const stale = await write(level, { key: "c a", value: "1" });
    const retry = { checks: [{ key: "c a", version: stale }], writes: [{ key: "c a", value: "2" }] };
    await write(level, { key: "c a", value: null });
    expect(await level.commit(retry)).toEqual({ ok: false, current: [undefined] });
    const version = await write(level, { key: "c a", value: "1" });
    expect(await level.commit(retry)).toEqual({ ok: false, current: [{ key: "c a", value: "1", version }] });
  });

  it("commits of one turn are judged in their order, each on what the commits before it leave", async () => {
    const level = await openLevel();
    const create = (value: string) =>
      level.commit({ checks: [{ key: "c a", version: null }], writes: [{ key: "c a", value }] });
    const outcomes = await Promise.all([
      create("1"),
      create("2"),
      level.commit({ checks: [], writes: [{ key: "c a", value: null }] }),
      create("3"),
    ]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true, true]);
    expect(outcomes[1]).toMatchObject({ current: [{ value: "1" }] });
    expect((await level.read(["c a"]))[0]?.value).toBe("3");
  });

  it("many increments by compare-and-set at once are all kept", async () => {
    const path = temporaryFolder();
    const levels = await Promise.all(Array.from({ length: 8 }, () => openLevel(path)));
    await Promise.all(
      levels.map(async (level) => {
        for (let done = 0; done < 50; ) {
          const [entry] = await level.read(["c n"]);
          const value = String(Number(entry?.value ?? 0) + 1);
          const checks = [{ key: "c n", version: entry?.version ?? null }];
          if ((await level.commit({ checks, writes: [{ key: "c n", value }] })).ok) done++;
        }
      }),
    );
    expect((await levels[0]?.read(["c n"]))?.[0]?.value).toBe("400");
  });

  it("versions only increase, even for comparing, for deleting nothing and after the folder is opened again", async () => {
    const path = temporaryFolder();
    const versions: string[] = [];
    for (let round = 0; round < 3; round++) {
      const level = await open({ path });
      versions.push(await write(level, { key: "c a", value: "1" }));
      versions.push(await write(level, { key: "c a", value: "1" }));
      versions.push(await write(level, { key: "c b", value: null }));
      versions.push(await write(level));
      await level.close();
    }
    const numbers = versions.map(Number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  it("a commit that is aborted while it waits in the queue is not applied", async () => {
    const level = await openLevel();
    const commit = { checks: [], writes: [{ key: "c a", value: "1" }] };
    const controller = new AbortController();
    const waiting = level.commit(commit, { signal: controller.signal });
    controller.abort();
    const aborted = { code: "ABORTED", outcome: "not-applied" };
    await expect(waiting).rejects.toMatchObject(aborted);
    await expect(level.commit(commit, { signal: controller.signal })).rejects.toMatchObject(aborted);
    await write(level, { key: "c b", value: "1" });
    expect(await level.read(["c a"])).toEqual([undefined]);
  });

  it("commits leave no listeners at the signal that they were given", async () => {
    const level = await openLevel();
    const { signal } = new AbortController();
    for (let i = 0; i < 3; i++) {
      await level.commit({ checks: [], writes: [{ key: "c a", value: "1" }] }, { signal });
      await level.commit({ checks: [{ key: "c a", version: null }], writes: [] }, { signal });
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("a commit that is aborted while it goes to the disk has an unknown outcome, and may have been applied", async () => {
    const folder = await openFolder(temporaryFolder(), systemClock);
    onTestFinished(() => folder.release());
    const controller = new AbortController();
    const commit = { checks: [], writes: [{ key: "c a", value: "1" }] };
    const writing = folder.queue.add(commit, { signal: controller.signal });
    // The queue takes its commits in the immediate before this one.
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(writing).rejects.toMatchObject({ code: "ABORTED", outcome: "unknown" });
    await folder.queue.idle();
    expect((await folder.store.read(["c a"]))[0]?.value).toBe("1");
  });

  it("no version is given twice after the first write to the disk failed", async () => {
    const path = temporaryFolder();
    const commit = { checks: [], writes: [{ key: "c a", value: "1" }] };
    const before = await openFolder(path, systemClock);
    const toDisk = before.store.write.bind(before.store);
    before.store.write = () => Promise.reject(new Error("the disk is full"));
    await expect(before.queue.add(commit)).rejects.toThrow("the disk is full");
    before.store.write = toDisk;
    const first = await before.queue.add(commit);
    await before.release();
    const after = await openFolder(path, systemClock);
    onTestFinished(() => after.release());
    const second = await after.queue.add(commit);
    expect(second.ok && first.ok && Number(second.version) > Number(first.version)).toBe(true);
  });

  it("a commit is written with a sync, as a power cut would otherwise lose what was acknowledged", async () => {
    const options = watchWrites();
    const level = await openLevel();
    await write(level, { key: "c a", value: "1" });
    expect(options).toEqual([{ sync: true }]);
  });

  it("commits of one turn of the event loop share one write to the disk, from whatever callback they come", async () => {
    const level = await openLevel();
    const options = watchWrites();
    const inCallback = () =>
      new Promise((resolve) => setImmediate(() => resolve(write(level, { key: "c a", value: "1" }))));
    await Promise.all([inCallback(), inCallback(), inCallback()]);
    expect(options.length).toBe(1);
  });

  it("commits that are sent when others were answered share one write to the disk", async () => {
    const level = await openLevel();
    const chains = async () => {
      for (let i = 0; i < 5; i++) await write(level, { key: "c a", value: "1" });
    };
    const options = watchWrites();
    await Promise.all([chains(), chains(), chains()]);
    expect(options.length).toBe(5);
  });

  it("a commit of more checks and writes than the backend declares is refused", async () => {
    const level = await openLevel();
    const writes = Array.from({ length: level.supports.maxOps + 1 }, (_, i) => ({ key: `c ${i}`, value: "1" }));
    await expect(level.commit({ checks: [], writes })).rejects.toMatchObject({ code: "TOO_LARGE" });
  });
});

describe("reads and scans of LevelDB", () => {
  it("a scan lists keys in byte order, both ways, with limits, and none of neighbouring channels", async () => {
    const level = await openLevel();
    const keys = ["c ", "c \u0001", "c a", "c a b", "c aa", "c é", "c \uffee", "c \u{1f600}"];
    const all = [...keys, "b z", "c!", "c", "ca a", "d "];
    const version = await write(level, ...all.map((key) => ({ key, value: JSON.stringify(key) })));
    const list = async (request: Partial<ScanRequest>) => {
      const page = await level.scan({ ...channel("c"), reverse: false, limit: 100, values: true, ...request });
      return [page.entries.map(({ key }) => key), page.more];
    };
    expect(await list({})).toEqual([keys, false]);
    expect(await list({ reverse: true })).toEqual([keys.toReversed(), false]);
    expect(await list({ limit: 3 })).toEqual([keys.slice(0, 3), true]);
    expect(await list({ limit: 8 })).toEqual([keys, false]);
    expect(await list({ reverse: true, limit: 2 })).toEqual([["c \u{1f600}", "c \uffee"], true]);
    expect(await list({ from: "c a", to: "c aa" })).toEqual([["c a", "c a b"], false]);
    expect(await list({ from: "c x", to: "c y" })).toEqual([[], false]);
    const page = await level.scan({ ...channel("c"), reverse: false, limit: 1, values: false });
    expect(page.entries).toEqual([{ key: "c ", value: "", version }]);
  });

  it("a scan pages through values that are longer than one read of the iterator", async () => {
    const level = await openLevel();
    const value = JSON.stringify("x".repeat(5_000));
    await write(level, ...Array.from({ length: 50 }, (_, i) => ({ key: `c ${100 + i}`, value })));
    const page = await level.scan({ ...channel("c"), reverse: true, limit: 49, values: true });
    expect([page.entries.length, page.more, page.entries[0]?.key]).toEqual([49, true, "c 149"]);
  });

  it("a scan leaves no iterator open", async () => {
    const made = vi.spyOn(Level.prototype, "iterator");
    const level = await openLevel();
    await write(level, { key: "c a", value: "1" }, { key: "c b", value: "1" });
    await level.scan({ ...channel("c"), reverse: false, limit: 1, values: true });
    const iterators = made.mock.results.map(({ value }) => value as { next(): Promise<unknown> });
    expect(iterators.length).toBeGreaterThan(0);
    for (const iterator of iterators) {
      await expect(iterator.next()).rejects.toMatchObject({ code: "LEVEL_ITERATOR_NOT_OPEN" });
    }
  });

  it("a read of many keys gives their entries in the order of the keys", async () => {
    const level = await openLevel();
    await write(level, { key: "c 7", value: "7" });
    const keys = Array.from({ length: 100 }, (_, i) => `c ${99 - i}`);
    const entries = await level.read(keys);
    expect(entries.map((entry) => entry?.key)).toEqual(keys.map((key) => (key === "c 7" ? key : undefined)));
  });

  it("a read gives values as they were written", async () => {
    const level = await openLevel();
    for (const value of ["null", "{}", '"}"', '{"version":"1","value":2}', '"\u2028é\u{1f600}"', "[]"]) {
      await write(level, { key: "c a", value, ttl: 60_000 });
      expect((await level.read(["c a"]))[0]?.value).toBe(value);
    }
  });
});

describe("watches of LevelDB", () => {
  it("a watch reports the commits of all backends that share the folder, in order, of its range alone", async () => {
    const path = temporaryFolder();
    const [mine, other] = [await openLevel(path), await openLevel(path)];
    const [seen, stopped] = [new Recorder(), new Recorder()];
    await mine.watch(channel("c"), seen);
    (await mine.watch(channel("c"), stopped))();
    const versions = await Promise.all([
      write(mine, { key: "c a", value: "1" }),
      write(other, { key: "c a", value: "2", ttl: 60_000 }, { key: "d x", value: "0" }),
      write(other, { key: "c a", value: null }),
    ]);
    expect(seen.changes).toEqual([
      { key: "c a", value: "1", version: versions[0] },
      { key: "c a", value: "2", version: versions[1], expiresIn: 60_000 },
      { key: "c a", value: null, version: versions[2] },
    ]);
    expect(stopped.changes).toEqual([]);
  });

  it("a watch ends with the backend that it belongs to, and leaves other watches alone", async () => {
    const path = temporaryFolder();
    const [mine, other] = [await open({ path }), await openLevel(path)];
    const [ended, seen] = [new Recorder(), new Recorder()];
    await mine.watch(channel("c"), ended);
    await other.watch(channel("c"), seen);
    await mine.close();
    await write(other, { key: "c a", value: "1" });
    expect([ended.changes.length, seen.changes.length]).toEqual([0, 1]);
  });
});

describe("opening and closing a LevelDB folder", () => {
  it("a folder of a newer layout is refused, with a line that says what to upgrade, and left as it is", async () => {
    const path = temporaryFolder();
    const meta = JSON.stringify({ format: 99, reserved: "7", more: true });
    const db = new Level(path);
    await db.put("\0ojm", meta);
    await db.close();
    await expect(open({ path })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: `the LevelDB folder ${path} has layout 99, and this version of @ojm/level knows layouts up to 1: upgrade @ojm/level and the other packages of ojm in this program`,
    });
    await db.open();
    expect(await db.get("\0ojm")).toBe(meta);
    await db.put("\0ojm", "by another program");
    await db.close();
    await expect(open({ path })).rejects.toMatchObject({ code: "CORRUPT" });
  });

  it("a folder that is opened again has the entries that were written", async () => {
    const path = join(temporaryFolder(), "made", "as needed");
    const first = await open({ path });
    const version = await write(first, { key: "c a", value: '{"a":1}' });
    await first.close();
    await first.close();
    expect(await (await openLevel(path)).read(["c a"])).toEqual([{ key: "c a", value: '{"a":1}', version }]);
  });

  it("all opens of a folder share one database, by whatever path, until the last one closes", async () => {
    const path = temporaryFolder();
    const link = `${path}-link`;
    symlinkSync(path, link);
    onTestFinished(async () => (await import("node:fs/promises")).rm(link));
    const [a, b] = await Promise.all([open({ path }), open({ path: `${link}/.` })]);
    await write(a, { key: "c a", value: "1" });
    await a.close();
    expect((await b.read(["c a"]))[0]?.value).toBe("1");
    // The folder is opened again while its last user is closing it.
    const [, c] = await Promise.all([b.close(), open({ path })]);
    expect((await c.read(["c a"]))[0]?.value).toBe("1");
    await c.close();
  });

  it("close() writes what was committed before, and later calls fail with CLOSED", async () => {
    const path = temporaryFolder();
    const level = await open({ path });
    const last = write(level, { key: "c a", value: "1" });
    await level.close();
    await last;
    for (const call of [
      () => level.read(["c a"]),
      () => level.commit({ checks: [], writes: [] }),
      () => level.scan({ ...channel("c"), reverse: false, limit: 1, values: true }),
      () => level.watch(channel("c"), new Recorder()),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "CLOSED" });
    }
    expect((await (await openLevel(path)).read(["c a"]))[0]?.value).toBe("1");
  });

  it("the folder holds records that any tool for LevelDB can read", async () => {
    const path = temporaryFolder();
    const level = await open({ path });
    const version = await write(level, { key: "c a", value: '{"x":[1]}', ttl: 1_000 });
    await level.close();
    const db = new Level(path);
    const record = JSON.parse((await db.get("c a")) ?? "");
    await db.close();
    expect(record).toMatchObject({ version, value: { x: [1] }, deadline: { wall: expect.any(Number) } });
  });

  it("wrong options of the LevelDB backend are rejected with an error that says what is wrong", async () => {
    const wrong = (message: string) => ({ code: "INVALID_CONFIG", message: expect.stringContaining(message) });
    await expect(open({})).rejects.toMatchObject(wrong('"path"'));
    await expect(open({ path: "" })).rejects.toMatchObject(wrong('"path"'));
    await expect(open({ file: "/x" })).rejects.toMatchObject(wrong('no option "file"'));
    await expect(open({ pth: "/x" })).rejects.toMatchObject(wrong('Did you mean "path"'));
  });

  it("a path that is not a folder is refused with INVALID_CONFIG", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    await expect(open({ path: file })).rejects.toMatchObject({ code: "INVALID_CONFIG" });
    await expect(open({ path: join(file, "below") })).rejects.toMatchObject({ code: "INVALID_CONFIG" });
  });

  it("a damaged folder is refused as CORRUPT", async () => {
    const path = temporaryFolder();
    await (await open({ path })).close();
    writeFileSync(join(path, "CURRENT"), "nonsense");
    await expect(open({ path })).rejects.toMatchObject({
      code: "CORRUPT",
      retryable: false,
      message: expect.stringContaining(path),
    });
    expect(existsSync(join(path, "CURRENT"))).toBe(true);
  });

  it("a folder that has lost CURRENT is refused as CORRUPT and left as it is: LevelDB would begin an empty database in it", async () => {
    const path = temporaryFolder();
    const level = await open({ path });
    await write(level, { key: "c a", value: "1" });
    await level.close();
    renameSync(join(path, "CURRENT"), join(path, "moved"));
    const files = readdirSync(path).sort();
    const fault = { code: "CORRUPT", message: expect.stringContaining("CURRENT") };
    await expect(open({ path })).rejects.toMatchObject(fault);
    expect(readdirSync(path).sort()).toEqual(files);
    renameSync(join(path, "moved"), join(path, "CURRENT"));
    expect(await (await openLevel(path)).read(["c a"])).toMatchObject([{ value: "1" }]);
  });

  it("a folder whose creation was interrupted before LevelDB wrote CURRENT can be opened", async () => {
    const path = temporaryFolder();
    for (const file of ["LOCK", "LOG", "MANIFEST-000001"]) writeFileSync(join(path, file), "");
    await write(await openLevel(path), { key: "c a", value: "1" });
  });

  it("a folder that has lost CURRENT is not reopened as an empty database after a failed write", async () => {
    const path = temporaryFolder();
    const level = await openLevel(path);
    await write(level, { key: "c a", value: "1" });
    aroundWrites(() => Promise.reject(new Error("the disk failed")));
    await expect(write(level, { key: "c a", value: "2" })).rejects.toMatchObject({ outcome: "unknown" });
    vi.restoreAllMocks();
    rmSync(join(path, "CURRENT"));
    await expect(write(level, { key: "c b", value: "1" })).rejects.toMatchObject({ code: "CORRUPT" });
  });

  it("an entry that another program wrote fails reads and commits with CORRUPT, and no other key", async () => {
    const path = temporaryFolder();
    const db = new Level(path);
    await db.put("c a", "hello");
    await db.close();
    const level = await openLevel(path);
    const corrupt = { code: "CORRUPT", message: expect.stringContaining("c a") };
    await expect(level.read(["c a"])).rejects.toMatchObject(corrupt);
    const checks = [{ key: "c a", version: null }];
    await expect(level.commit({ checks, writes: [] })).rejects.toMatchObject(corrupt);
    await write(level, { key: "c b", value: "1" });
  });
});
