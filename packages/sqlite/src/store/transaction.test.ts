import { describe, expect, it } from "vitest";
import {
  eventually,
  get,
  openFile,
  openRaw,
  put,
  remove,
  swap,
  temporaryFile,
  versionOf,
} from "../testing/fixtures.js";

describe("a commit", () => {
  it("a commit applies all its writes with one version", async () => {
    const opened = await openFile(temporaryFile());
    const outcome = await opened.commit({
      checks: [],
      writes: [
        { key: "a", value: "1" },
        { key: "b", value: "2" },
      ],
    });
    const version = versionOf(outcome);
    expect(await opened.read(["b", "none", "a"])).toEqual([
      { key: "b", value: "2", version },
      undefined,
      { key: "a", value: "1", version },
    ]);
  });

  it("a commit writes nothing if one check does not hold, and returns the current entries", async () => {
    const opened = await openFile(temporaryFile());
    const version = versionOf(await opened.commit(put("a", "1")));
    const outcome = await opened.commit({
      checks: [
        { key: "a", version },
        { key: "none", version: "7" },
        { key: "absent", version: null },
      ],
      writes: [{ key: "a", value: "2" }],
    });
    expect(outcome).toEqual({ ok: false, current: [{ key: "a", value: "1", version }, undefined, undefined] });
    expect(await get(opened, "a")).toMatchObject({ value: "1", version });
  });

  it("a commit changes the version of an entry even when it writes the same value", async () => {
    const opened = await openFile(temporaryFile());
    const first = versionOf(await opened.commit(put("a", "1")));
    const second = versionOf(await opened.commit(put("a", "1")));
    expect(BigInt(second)).toBeGreaterThan(BigInt(first));
    expect(await opened.commit(swap("a", first, "2"))).toMatchObject({ ok: false });
  });

  it("a commit that expects the old version of a deleted key does not bring the key back", async () => {
    const opened = await openFile(temporaryFile());
    const version = versionOf(await opened.commit(put("a", "1")));
    await opened.commit(remove("a"));
    expect(await opened.commit(swap("a", version, "2"))).toEqual({ ok: false, current: [undefined] });
    const again = versionOf(await opened.commit(swap("a", null, "3")));
    expect(BigInt(again)).toBeGreaterThan(BigInt(version));
  });

  it.each(["0", "01", "1.0", "1e0", " 1", "", "x", "99999999999999999999"])(
    "a commit that expects the version %j of an entry at version 1 is refused",
    async (version) => {
      const opened = await openFile(temporaryFile());
      expect(versionOf(await opened.commit(put("a", "1")))).toBe("1");
      expect(await opened.commit(swap("a", version, "2"))).toMatchObject({ ok: false });
    },
  );

  it("a commit without writes compares, and has a version of its own", async () => {
    const opened = await openFile(temporaryFile());
    const version = versionOf(await opened.commit(put("a", "1")));
    const compared = versionOf(await opened.commit({ checks: [{ key: "a", version }], writes: [] }));
    const next = versionOf(await opened.commit(put("b", "1")));
    expect([version, compared, next].map(Number)).toEqual([1, 2, 3]);
  });

  it("a commit keeps the text of keys and values as it is", async () => {
    const opened = await openFile(temporaryFile());
    const texts = ["", "\"a'b\\", "ü€😀\u{10ffff}", "__proto__", "%_*?[a]", " a\n\t"];
    await opened.commit({ checks: [], writes: texts.map((text) => ({ key: `k${text}`, value: text })) });
    const entries = await opened.read(texts.map((text) => `k${text}`));
    expect(entries.map((entry) => entry?.value)).toEqual(texts);
  });

  it("a commit may be as large as the backend declares, and no larger", async () => {
    const opened = await openFile(temporaryFile());
    const { maxOps, maxKeyBytes, maxValueBytes } = opened.supports;
    const writes = Array.from({ length: maxOps }, (_, i) => ({ key: `k${i}`, value: "1" }));
    expect(await opened.commit({ checks: [], writes })).toMatchObject({ ok: true });
    await expect(opened.commit({ checks: [{ key: "x", version: null }], writes })).rejects.toMatchObject({
      code: "TOO_LARGE",
    });
    const key = "k".repeat(maxKeyBytes);
    const value = "v".repeat(maxValueBytes);
    await opened.commit(put(key, value));
    expect((await get(opened, key))?.value === value).toBe(true);
  });

  it("a commit logs no changes of keys that are not watched", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const changes = openRaw(file).prepare("SELECT count(*) FROM changes").pluck();
    await opened.commit(put("a", "1"));
    expect(changes.get()).toBe(0);
    const stop = await opened.watch({ from: "a", to: "b" }, { change() {}, gap() {}, fail() {} });
    await opened.commit(put("a", "2"));
    expect(changes.get()).toBe(1);
    await opened.commit(put("z", "3"));
    expect(changes.get()).toBe(1);
    stop();
    await opened.commit(put("a", "3"));
    expect(changes.get()).toBe(1);
    await eventually(() => changes.get()).toBe(0);
  });
});
