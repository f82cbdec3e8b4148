import { write } from "@ojm/testing/backends";
import { Level } from "level";
import { describe, expect, it, vi } from "vitest";
import { Remembered } from "./remembered.js";
import { aroundWrites, openLevel } from "./testing/backends.js";

describe("what a store remembers of its last commits", () => {
  it("a check of a key that was just written, deleted or checked reads nothing from LevelDB", async () => {
    const level = await openLevel();
    const version = await write(level, { key: "c a", value: "1" }, { key: "c b", value: null });
    await level.commit({ checks: [{ key: "c c", version: null }], writes: [] });
    const reads = vi.spyOn(Level.prototype, "getSync");
    const checks = [
      { key: "c a", version },
      { key: "c b", version: null },
      { key: "c c", version: null },
    ];
    expect((await level.commit({ checks, writes: [] })).ok).toBe(true);
    expect(reads).not.toHaveBeenCalled();
  });

  it.each([true, false])(
    "after a write with an unknown outcome, checks go by the disk (applied: %s)",
    async (applied) => {
      const level = await openLevel();
      const version = await write(level, { key: "c a", value: "1" });
      let failing = true;
      aroundWrites(async (toDisk, options) => {
        if (applied || !failing) await toDisk(options);
        if (failing) throw new Error("the disk failed");
      });
      await expect(write(level, { key: "c a", value: "2" })).rejects.toMatchObject({ outcome: "unknown" });
      failing = false;
      const retry = await level.commit({ checks: [{ key: "c a", version }], writes: [{ key: "c a", value: "3" }] });
      expect(retry.ok).toBe(!applied);
      expect((await level.read(["c a"]))[0]?.value).toBe(applied ? "2" : "3");
    },
  );

  it("keys that are used stay known, and the others are forgotten: the memory is bounded", () => {
    const remembered = new Remembered();
    const key = (i: number): string => `c ${i} ${"x".repeat(100)}`;
    for (let i = 0; i < 20_000; i++) {
      remembered.set(key(i), { version: String(i), value: "1" });
      remembered.get(key(0));
    }
    expect(remembered.get(key(0))).toEqual({ version: "0" });
    const known = Array.from({ length: 20_000 }, (_, i) => remembered.get(key(i))).filter((each) => each !== undefined);
    expect(known.length).toBeGreaterThan(1_000);
    expect(known.length).toBeLessThan(10_000);
  });

  it("a key that was written again is never known by its old version", () => {
    const remembered = new Remembered();
    remembered.set("c a", { version: "1", value: "1" });
    // Enough to move the first version into the old generation.
    for (let i = 0; i < 60; i++) remembered.set(`c ${i} ${"x".repeat(10_000)}`, undefined);
    remembered.set("c a", { version: "2", value: "1", deadline: { boot: "b", monotonic: 1, wall: 1 } });
    expect(remembered.get("c a")).toMatchObject({ version: "2", deadline: { boot: "b" } });
    remembered.set("c a", undefined);
    expect(remembered.get("c a")).toBe(null);
    remembered.clear();
    expect(remembered.get("c a")).toBe(undefined);
  });
});
