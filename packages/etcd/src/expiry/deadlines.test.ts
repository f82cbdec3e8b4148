import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadlines } from "./deadlines.js";

describe("deadlines of entries", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function start(): { deadlines: Deadlines; expired: string[] } {
    const expired: string[] = [];
    return { deadlines: new Deadlines((key, version) => expired.push(`${key}@${version}`)), expired };
  }

  it("a deadline counts from when a version was first seen", () => {
    const { deadlines, expired } = start();
    expect(deadlines.seen("a", "1", 100)).toBe(100);
    vi.advanceTimersByTime(60);
    expect(deadlines.seen("a", "1", 100)).toBe(40);
    expect([deadlines.expiredVersion("a"), expired]).toEqual([undefined, []]);
    vi.advanceTimersByTime(40);
    expect([deadlines.expiredVersion("a"), expired]).toEqual(["1", ["a@1"]]);
  });

  it("a deadline comes nearer when the lease ends sooner, and never moves away", () => {
    const { deadlines } = start();
    deadlines.seen("a", "1", 100);
    expect(deadlines.seen("a", "1", 30)).toBe(30);
    expect(deadlines.seen("a", "1", 100)).toBe(30);
  });

  it("a deadline starts again with each version, and an older version that is reported late changes nothing", () => {
    const { deadlines, expired } = start();
    deadlines.seen("a", "9", 100);
    vi.advanceTimersByTime(60);
    deadlines.seen("a", "10", 100);
    deadlines.seen("a", "9", 100);
    vi.advanceTimersByTime(60);
    expect([deadlines.left("a", "10"), expired]).toEqual([40, []]);
  });

  it("the deadline of a gone entry is kept, so that a reply from before does not revive the entry", () => {
    const { deadlines } = start();
    deadlines.seen("a", "1", 100);
    vi.advanceTimersByTime(100);
    deadlines.gone("a", "1");
    expect(deadlines.expiredVersion("a")).toBeUndefined();
    expect(deadlines.seen("a", "1", 100)).toBeLessThanOrEqual(0);
    expect(deadlines.seen("a", "2", 100)).toBe(100);
  });

  it("a deadline may be farther away than a timer can run", () => {
    const { deadlines, expired } = start();
    const month = 30 * 24 * 3_600_000;
    deadlines.seen("a", "1", month);
    vi.advanceTimersByTime(month - 1);
    expect(expired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(expired).toEqual(["a@1"]);
  });

  it("deadlines are kept for the 10,000 entries that were seen last", () => {
    // Fake timers would take a minute for this many.
    vi.useRealTimers();
    const { deadlines } = start();
    for (let i = 0; i < 10_001; i++) deadlines.seen(`a${i}`, "1", 60_000);
    expect(deadlines.left("a0", "1")).toBeUndefined();
    expect(deadlines.left("a1", "1")).toBeGreaterThan(0);
    expect(deadlines.left("a10000", "1")).toBeGreaterThan(0);
    deadlines.close();
  });

  it("an entry that no process waits for is not ended at its deadline until a process waits for it", () => {
    const { deadlines, expired } = start();
    for (const key of ["a", "b", "c"]) deadlines.seen(key, "1", 100, false);
    vi.advanceTimersByTime(60);
    deadlines.seen("a", "1", 100);
    deadlines.time({ from: "b", to: "c" });
    vi.advanceTimersByTime(40);
    expect(expired).toEqual(["a@1", "b@1"]);
    expect(deadlines.expiredVersion("c")).toBe("1");
    deadlines.time({ from: "c", to: "d" });
    vi.advanceTimersByTime(1);
    expect(expired).toEqual(["a@1", "b@1", "c@1"]);
  });

  it("a deadline that comes nearer keeps its timer", () => {
    const { deadlines, expired } = start();
    deadlines.seen("a", "1", 100);
    deadlines.seen("a", "1", 30, false);
    vi.advanceTimersByTime(30);
    expect(expired).toEqual(["a@1"]);
  });

  it("no entry is ended at its deadline once the deadlines are closed", () => {
    const { deadlines, expired } = start();
    deadlines.seen("a", "1", 100);
    deadlines.close();
    vi.advanceTimersByTime(200);
    expect(expired).toEqual([]);
  });
});
