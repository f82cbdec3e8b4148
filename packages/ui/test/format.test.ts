import { expect, test } from "vitest";
import { distance, duration, seconds } from "../web/src/format/duration.js";
import { fromField, toField } from "../web/src/format/local-time.js";
import { inZone } from "../web/src/format/times.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [320, "320 ms"],
  [2_500, "2.5 s"],
  [41 * SECOND, "41 s"],
  [3 * MINUTE + 20 * SECOND, "3 min 20 s"],
  [2 * HOUR + 5 * MINUTE, "2 h 5 min"],
  [30 * HOUR, "1 d 6 h"],
])("a duration of %i ms is shown as %s, as the command line has it", (ms, text) => {
  expect(duration(ms)).toBe(text);
  if (ms >= 10_000) expect(seconds(ms + 300)).toBe(text);
});

test.each([
  [41_700, "41 s"],
  [17 * MINUTE + 40 * SECOND, "17 min"],
  [104 * MINUTE + 10 * SECOND, "1 h 44 min"],
  [5 * HOUR + 20 * SECOND, "5 h"],
  [36 * HOUR, "1 d 12 h"],
  [3 * DAY + 7 * HOUR, "3 d"],
])("a distance of %i ms is shown as %s", (ms, text) => {
  expect([distance(ms, 0), distance(0, ms)]).toEqual([`in ${text}`, `${text} ago`]);
});

test("a time is typed in 24 hours, in the zone of its field, and a day that no month has is none", () => {
  const at = Date.UTC(2026, 10, 24, 13);
  expect(toField(at, "Asia/Tokyo")).toBe("2026-11-24 22:00");
  for (const text of ["2026-11-24 22:00", " 2026-11-24T22:00 "]) expect(fromField(text, "Asia/Tokyo")).toBe(at);
  for (const text of ["", "soon", "2026-02-30 10:00", "2026-11-24 25:00"])
    expect(fromField(text, "UTC")).toBeUndefined();
});

test("the times in a text of the server are shown in the zone of the reader, and ids of runs as they are", () => {
  const now = Date.UTC(2026, 10, 24, 13);
  const text = "import@2026-11-24T10:00:00.000Z: held since 2026-11-24T12:30:00.000Z";
  expect(inZone(text, now, "Asia/Tokyo")).toBe("import@2026-11-24T10:00:00.000Z: held since 21:30");
});
