import type { Clock } from "@ojm/core/backend";
import { TestClock } from "@ojm/core/testing";
import { channel, write } from "@ojm/testing/backends";
import { temporaryFolder } from "@ojm/testing/folder";
import { Level } from "level";
import { describe, expect, it } from "vitest";
import { type Folder, openFolder } from "./folders.js";

type Opened = Folder & { commit: CommitOf; release(): Promise<void> };
type CommitOf = (commit: Parameters<Folder["queue"]["add"]>[0]) => ReturnType<Folder["queue"]["add"]>;

async function open(path: string, clock: Clock, boot: string = "boot-1"): Promise<Opened> {
  const folder = await openFolder(path, clock, boot);
  return { ...folder, commit: (commit) => folder.queue.add(commit) };
}

describe("the ttl of entries in LevelDB", () => {
  it("an entry with a ttl is shown until its deadline and never after", async () => {
    const clock = new TestClock();
    const level = await open(temporaryFolder(), clock);
    const version = await write(level, { key: "c a", value: "1", ttl: 1_000 });
    clock.sleep(999.5);
    expect(await level.store.read(["c a"])).toEqual([{ key: "c a", value: "1", version, expiresIn: 0.5 }]);
    clock.sleep(0.5);
    expect(await level.store.read(["c a"])).toEqual([undefined]);
    const request = { ...channel("c"), reverse: false, limit: 1, values: true };
    expect(await level.store.scan(request)).toEqual({ entries: [], more: false });
    const stale = await level.commit({ checks: [{ key: "c a", version }], writes: [{ key: "c a", value: "2" }] });
    expect(stale).toEqual({ ok: false, current: [undefined] });
    const create = await level.commit({
      checks: [{ key: "c a", version: null }],
      writes: [{ key: "c a", value: "3" }],
    });
    expect(create.ok).toBe(true);
    await level.release();
  });

  it("the ttl of an entry restarts with every write, and ends with a write without ttl", async () => {
    const clock = new TestClock();
    const level = await open(temporaryFolder(), clock);
    await write(level, { key: "c a", value: "1", ttl: 100 }, { key: "c kept", value: "1", ttl: 100 });
    clock.sleep(60);
    await write(level, { key: "c a", value: "2", ttl: 100 }, { key: "c kept", value: "2" });
    clock.sleep(60);
    const [a, kept] = await level.store.read(["c a", "c kept"]);
    expect([a?.expiresIn, kept?.value, kept?.expiresIn]).toEqual([40, "2", undefined]);
    await level.release();
  });

  it("the ttl of an entry does not follow a change of the wall clock", async () => {
    const clock = new TestClock();
    const level = await open(temporaryFolder(), clock);
    await write(level, { key: "c a", value: "1", ttl: 1_000 });
    clock.jump(7_200_000);
    expect((await level.store.read(["c a"]))[0]?.expiresIn).toBe(1_000);
    clock.jump(-14_400_000);
    clock.sleep(1_000);
    expect(await level.store.read(["c a"])).toEqual([undefined]);
    await level.release();
  });

  it("the ttl of an entry goes by the wall clock once the host was started again", async () => {
    const path = temporaryFolder();
    const clock = new TestClock();
    const before = await open(path, clock, "boot-1");
    await write(before, { key: "c a", value: "1", ttl: 10_000 });
    await before.release();
    const later = new TestClock({ start: clock.now() + 4_000 });
    const after = await open(path, later, "boot-2");
    expect((await after.store.read(["c a"]))[0]?.expiresIn).toBe(6_000);
    later.sleep(6_000);
    expect(await after.store.read(["c a"])).toEqual([undefined]);
    await after.release();
  });

  it("the ttl of an entry goes by the wall clock between processes where boots have no names", async () => {
    const path = temporaryFolder();
    const clock = new TestClock();
    const before = await open(path, clock, "");
    await write(before, { key: "c a", value: "1", ttl: 10_000 });
    clock.jump(9_000);
    expect((await before.store.read(["c a"]))[0]?.expiresIn).toBe(10_000);
    await before.release();
    const after = await open(path, clock, "");
    expect((await after.store.read(["c a"]))[0]?.expiresIn).toBe(1_000);
    await after.release();
  });

  it("a commit removes the entries that reads found expired, but none that was written again meanwhile", async () => {
    const path = temporaryFolder();
    const clock = new TestClock();
    const level = await open(path, clock);
    await write(level, { key: "c old", value: "1", ttl: 10 }, { key: "c fresh", value: "1", ttl: 10 });
    clock.sleep(10);
    const [read, fresh] = await Promise.all([
      level.store.read(["c old", "c fresh"]),
      write(level, { key: "c fresh", value: "2" }),
    ]);
    expect(read).toEqual([undefined, undefined]);
    await write(level, { key: "c x", value: "1" });
    expect(await level.store.read(["c fresh"])).toEqual([{ key: "c fresh", value: "2", version: fresh }]);
    await level.release();
    const db = new Level(path);
    expect([await db.get("c old"), await db.get("c fresh")]).toEqual([undefined, expect.any(String)]);
    await db.close();
  });

  it("a slow read that finds an old entry expired does not remove the entry that was written in its place", async () => {
    const clock = new TestClock();
    const level = await open(temporaryFolder(), clock);
    await write(level, { key: "c a", value: "1", ttl: 10 });
    const found = level.store.record("c a");
    if (found === undefined) throw new Error("nothing was written");
    clock.sleep(10);
    const version = await write(level, { key: "c a", value: "2" });
    expect(level.store.visible("c a", found)).toBeUndefined();
    await write(level, { key: "c x", value: "1" });
    expect(await level.store.read(["c a"])).toEqual([{ key: "c a", value: "2", version }]);
    await level.release();
  });

  it("a scan fills its page although expired entries lie between", async () => {
    const clock = new TestClock();
    const level = await open(temporaryFolder(), clock);
    const writes = Array.from({ length: 20 }, (_, i) => ({ key: `c ${100 + i}`, value: "1" }));
    await write(level, ...writes.map((each, i) => (i % 2 === 0 ? each : { ...each, ttl: 5 })));
    clock.sleep(5);
    const page = await level.store.scan({ ...channel("c"), reverse: false, limit: 10, values: true });
    expect([page.entries.length, page.more]).toEqual([10, false]);
    await level.release();
  });
});
