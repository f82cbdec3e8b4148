import fc from "fast-check";
import { expect, test } from "vitest";
import { startAfter } from "../util/start-time.js";
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

test("the start times after each other have ids of their own, which sort as they do", () => {
  const from = Date.UTC(2026, 10, 25, 2);
  const times = [from];
  for (let i = 0; i < 2_500; i++) times.push(startAfter(times.at(-1) as number));
  const ids = times.map((startTime) => runId({ name: "a", startTime }));
  expect(ids.slice(0, 2)).toEqual(["a@2026-11-25T02:00:00.000Z", "a@2026-11-25T02:00:00.000001Z"]);
  expect(ids[1_999]).toBe("a@2026-11-25T02:00:00.001999Z");
  expect(ids.map((id) => parseRunId(id)?.startTime)).toEqual(times);
  expect(times.toSorted((a, b) => a - b)).toEqual(times);
  expect(new Set(ids).size).toBe(times.length);
});

test("the id of a run is its name and its start time in UTC, for people to read", () => {
  const startTime = Date.UTC(2026, 10, 25, 2);
  expect(runId({ name: "daily-report", startTime })).toBe("daily-report@2026-11-25T02:00:00.000Z");
  expect(parseRunId("a@b@2026-11-25T02:00:00.000Z")).toEqual({ name: "a@b", startTime });
});

test.each([
  "",
  "a",
  "a@",
  "@2026-11-25T02:00:00.000Z",
  "a@2026-11-25",
  "a@2026-13-25T02:00:00.000Z",
  "a@2026-11-25T02:00:00.000000Z",
  "a@Infinity",
])("a text that is not the id of a run names none: %j", (text) => {
  expect(parseRunId(text)).toBeUndefined();
});
