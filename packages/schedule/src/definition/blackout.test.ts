import { describe, expect, it } from "vitest";
import { windowAt } from "./blackout.js";

const at = (text: string): number => Date.parse(text);

describe("a blackout", () => {
  it("a window of two instants includes its beginning and not its end", () => {
    const windows = [{ from: "2026-12-24T00:00Z", to: "2026-12-27T00:00+01:00", reason: "holidays" }];
    expect(windowAt(windows, at("2026-12-24T00:00Z") - 1)).toBeUndefined();
    expect(windowAt(windows, at("2026-12-24T00:00Z"))).toEqual({
      from: at("2026-12-24T00:00Z"),
      to: at("2026-12-26T23:00Z"),
      reason: "holidays",
    });
    expect(windowAt(windows, at("2026-12-26T23:00Z"))).toBeUndefined();
  });

  it("windows that adjoin leave no gap: the end of one is in the next", () => {
    const [noon, one, two] = ["2026-12-24T12:00Z", "2026-12-24T13:00Z", "2026-12-24T14:00Z"] as const;
    const windows = [
      { from: noon, to: one, reason: "first" },
      { from: one, to: two, reason: "second" },
    ];
    expect(windowAt(windows, at(one) - 1)?.reason).toBe("first");
    expect(windowAt(windows, at(one))?.reason).toBe("second");
    expect(windowAt(windows, at(two))).toBeUndefined();
  });

  it("a window that repeats begins at each tick of its cron expression, by the clocks of its zone", () => {
    const windows = [{ cron: "0 22 * * SAT", duration: 3 * 3_600_000, timeZone: "Europe/Lisbon" }];
    expect(windowAt(windows, at("2026-07-04T20:59Z"))).toBeUndefined();
    expect(windowAt(windows, at("2026-07-04T21:00Z"))?.to).toBe(at("2026-07-05T00:00Z"));
    expect(windowAt(windows, at("2026-07-04T23:59Z"))?.from).toBe(at("2026-07-04T21:00Z"));
    expect(windowAt(windows, at("2026-07-05T00:00Z"))).toBeUndefined();
  });
});
