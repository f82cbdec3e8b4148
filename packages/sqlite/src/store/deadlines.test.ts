import { Recorder } from "@ojm/testing/backends";
import { describe, expect, it } from "vitest";
import {
  EVERYTHING,
  eventually,
  get,
  openFile,
  openRaw,
  put,
  swap,
  TestClock,
  temporaryFile,
} from "../testing/fixtures.js";
import { Deadlines, NEVER } from "./deadlines.js";
import { EXPIRED_IN_OTHER_BOOTS } from "./housekeeping.js";

const SCAN = { ...EVERYTHING, reverse: false, limit: 10, values: true };

describe("an entry with a time to live", () => {
  it("an entry with a time to live is there until its deadline, and gone at the deadline", async () => {
    const clock = new TestClock();
    const opened = await openFile(temporaryFile(), clock);
    await opened.commit(put("a", "1", 100));
    clock.pass(99);
    expect(await get(opened, "a")).toMatchObject({ value: "1", expiresIn: 1 });
    expect((await opened.scan(SCAN)).entries).toMatchObject([{ key: "a", expiresIn: 1 }]);
    expect(await opened.commit(swap("a", null, "2"))).toMatchObject({ ok: false, current: [{ expiresIn: 1 }] });
    clock.pass(1);
    expect(await get(opened, "a")).toBeUndefined();
    expect((await opened.scan(SCAN)).entries).toEqual([]);
    expect(await opened.commit(swap("a", "1", "2"))).toEqual({ ok: false, current: [undefined] });
    expect(await opened.commit(swap("a", null, "2"))).toMatchObject({ ok: true });
  });

  it("an entry that is written again without a time to live never expires", async () => {
    const clock = new TestClock();
    const opened = await openFile(temporaryFile(), clock);
    await opened.commit(put("a", "1", 100));
    await opened.commit(put("a", "2"));
    clock.pass(1_000_000);
    expect(await get(opened, "a")).toEqual({ key: "a", value: "2", version: "2" });
  });

  it("a contender whose wall clock is ahead or behind cannot take an entry before its deadline", async () => {
    const file = temporaryFile();
    const clock = new TestClock();
    const opened = await openFile(file, clock);
    await opened.commit(put("lock", "mine", 1_000));
    const ahead = new TestClock();
    ahead.wall += 7_200_000;
    const contender = await openFile(file, ahead);
    expect(await contender.commit(swap("lock", null, "theirs"))).toMatchObject({ ok: false });
    await contender.commit(put("other", "1"));
    ahead.wall -= 14_400_000;
    ahead.mono += 1_000;
    expect(await contender.commit(swap("lock", null, "theirs"))).toMatchObject({ ok: true });
  });

  it("the deadline of an entry is judged by wall time after a restart of the host", async () => {
    const file = temporaryFile();
    const clock = new TestClock();
    const opened = await openFile(file, clock);
    await opened.commit(put("a", "1", 10_000));
    openRaw(file).exec("UPDATE entries SET boot = 'before'");
    clock.mono = 5;
    expect(await get(opened, "a")).toMatchObject({ expiresIn: 10_000 });
    clock.wall += 9_999;
    expect(await opened.commit(swap("a", null, "2"))).toMatchObject({ ok: false });
    clock.wall += 1;
    expect(await get(opened, "a")).toBeUndefined();
    expect(await opened.commit(swap("a", null, "2"))).toMatchObject({ ok: true });
  });

  it("an expired entry is deleted by later writes, never by reads", async () => {
    const file = temporaryFile();
    const clock = new TestClock();
    const first = await openFile(file, clock);
    const rows = openRaw(file).prepare("SELECT count(*) FROM entries WHERE key LIKE 'old%'").pluck();
    const writes = Array.from({ length: 1_000 }, (_, i) => ({ key: `old${i}`, value: "1", ttl: 100 }));
    await first.commit({ checks: [], writes });
    await first.commit({ checks: [], writes: writes.map(({ key, ...rest }) => ({ key: `older${key}`, ...rest })) });
    openRaw(file).exec("UPDATE entries SET boot = 'before' WHERE key LIKE 'older%'");
    clock.pass(100);
    expect((await first.scan(SCAN)).entries).toEqual([]);
    expect(rows.get()).toBe(2_000);
    await first.close();
    const second = await openFile(file, clock);
    await second.commit(put("new", "1"));
    expect(rows.get()).toBe(0);
  });

  it("the search for expired entries of other boots does not read those of this boot", async () => {
    const file = temporaryFile();
    await openFile(file, new TestClock());
    const plan = openRaw(file).prepare(`EXPLAIN QUERY PLAN ${EXPIRED_IN_OTHER_BOOTS}`).all({ boot: "b", wall: 1 });
    const steps = (plan as { readonly detail: string }[]).map(({ detail }) => detail);
    const looks = steps.filter((detail) => detail.includes("entries_by_deadline"));
    expect(looks).toHaveLength(3);
    for (const look of looks) expect(look).toMatch(/^SEARCH entries USING .*\(boot[<>=]\?/);
  });

  it("a watch reports an entry with the time left to live, or as deleted when that time is over", async () => {
    const file = temporaryFile();
    const clock = new TestClock();
    const watching = await openFile(file, clock);
    const other = await openFile(file, new TestClock());
    const recorder = new Recorder();
    await watching.watch(EVERYTHING, recorder);
    clock.pass(40);
    await other.commit(put("a", "1", 100));
    await other.commit(put("b", "1", 30));
    await eventually(() => recorder.changes).toEqual([
      { key: "a", value: "1", version: "1", expiresIn: 60 },
      { key: "b", value: null, version: "2" },
    ]);
  });
});

describe("a system that does not name its boots", () => {
  it("wall time decides on deadlines where the system does not name its boots", () => {
    const clock = new TestClock();
    const deadlines = new Deadlines(clock, "");
    const until = deadlines.after(100, deadlines.now());
    clock.mono = 0;
    clock.wall += 60;
    expect(deadlines.left(until, deadlines.now())).toBe(40);
    expect(deadlines.left(NEVER, deadlines.now())).toBe(Number.POSITIVE_INFINITY);
  });
});
