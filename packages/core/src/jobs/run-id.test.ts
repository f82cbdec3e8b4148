import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRunId, runId } from "./run-id.js";

test("the id of a run names the run, whatever its name and start time", () => {
  const name = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: "binary", minLength: 1 }), fc.constant("a@b\n"));
  const startTime = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });
  fc.assert(
    fc.property(name, startTime, (name, startTime) => {
      expect(parseRunId(runId({ name, startTime }))).toEqual({ name, startTime });
    }),
  );
});

test("the id of a run is its name and its start time in UTC, for people to read", () => {
  const startTime = Date.UTC(2026, 10, 25, 2);
  expect(runId({ name: "daily-report", startTime })).toBe("daily-report@2026-11-25T02:00:00.000Z");
  expect(parseRunId("a@b@2026-11-25T02:00:00.000Z")).toEqual({ name: "a@b", startTime });
});

test.each(["", "a", "a@", "@2026-11-25T02:00:00.000Z", "a@2026-11-25", "a@2026-13-25T02:00:00.000Z", "a@Infinity"])(
  "a text that is not the id of a run names none: %j",
  (text) => {
    expect(parseRunId(text)).toBeUndefined();
  },
);
