import type { ScanRequest } from "@ojm/core/backend";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVERYTHING, openFile, openRaw, put, TestClock, temporaryFile } from "../testing/fixtures.js";

function request(fields: Partial<ScanRequest> = {}): ScanRequest {
  return { ...EVERYTHING, reverse: false, limit: 100, values: true, ...fields };
}

describe("a scan", () => {
  it("a scan lists entries by the bytes of their keys, forward and backward", async () => {
    const keys = fc.uniqueArray(
      fc.string({ unit: "grapheme", minLength: 1 }).filter((key) => !key.includes("\0")),
      {
        maxLength: 30,
      },
    );
    await fc.assert(
      fc.asyncProperty(keys, async (some) => {
        const opened = await openFile(temporaryFile());
        if (some.length > 0) await opened.commit({ checks: [], writes: some.map((key) => ({ key, value: "1" })) });
        const ordered = [...some].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        const forward = await opened.scan(request());
        expect(forward.entries.map(({ key }) => key)).toEqual(ordered);
        const backward = await opened.scan(request({ reverse: true }));
        expect(backward.entries.map(({ key }) => key)).toEqual(ordered.reverse());
        await opened.close();
      }),
      { numRuns: 20 },
    );
  });

  it("a scan includes the beginning of its range, and excludes the end", async () => {
    const opened = await openFile(temporaryFile());
    for (const key of ["a", "b", "ba", "c"]) await opened.commit(put(key, "1"));
    const { entries } = await opened.scan(request({ from: "b", to: "c" }));
    expect(entries.map(({ key }) => key)).toEqual(["b", "ba"]);
  });

  it("a scan returns whether there are more entries beyond its page", async () => {
    const opened = await openFile(temporaryFile());
    for (const key of ["a", "b", "c"]) await opened.commit(put(key, "1"));
    expect(await opened.scan(request({ limit: 2 }))).toMatchObject({
      entries: [{ key: "a" }, { key: "b" }],
      more: true,
    });
    expect(await opened.scan(request({ limit: 3 }))).toMatchObject({ more: false });
    expect(await opened.scan(request({ from: "x" }))).toEqual({ entries: [], more: false });
  });

  it("a scan fills its page past expired entries", async () => {
    const clock = new TestClock();
    const opened = await openFile(temporaryFile(), clock);
    for (const i of [1, 2, 3, 4, 5, 6]) await opened.commit(put(`k${i}`, "1", i % 2 === 0 ? 10 : undefined));
    clock.pass(10);
    const page = await opened.scan(request({ limit: 2 }));
    expect(page.entries.map(({ key }) => key)).toEqual(["k1", "k3"]);
    expect(page.more).toBe(true);
    expect(await opened.scan(request({ limit: 3 }))).toMatchObject({ more: false });
  });

  it("a scan can leave out the values", async () => {
    const opened = await openFile(temporaryFile());
    await opened.commit(put("a", "1"));
    expect((await opened.scan(request({ values: false }))).entries).toMatchObject([
      { key: "a", value: "", version: "1" },
    ]);
  });
});

describe("a read", () => {
  it("a read sees the commits made before it in the same turn, awaited or not", async () => {
    const opened = await openFile(temporaryFile());
    const written = opened.commit(put("a", "1"));
    expect(await opened.read(["a"])).toMatchObject([{ value: "1" }]);
    expect((await opened.scan(request())).entries).toHaveLength(1);
    await written;
  });

  it("a read of several keys shows them as of one moment", async () => {
    const file = temporaryFile();
    const opened = await openFile(file);
    const raw = openRaw(file);
    await opened.commit({ checks: [], writes: ["a", "b"].map((key) => ({ key, value: "0" })) });
    const both = raw.prepare("UPDATE entries SET value = value + 1");
    for (let i = 0; i < 50; i++) {
      const reading = opened.read(["a", "b", "none"]);
      both.run();
      const [a, b] = await reading;
      expect(a?.value).toBe(b?.value);
    }
  });

  it("a read with an aborted signal is refused", async () => {
    const opened = await openFile(temporaryFile());
    const signal = AbortSignal.abort("enough");
    await expect(opened.read(["a"], { signal })).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
  });
});
