import { expect, test } from "vitest";
import { inZone } from "../web/src/format/times.js";
import { fromField, toField } from "../web/src/format/wall.js";

test("a time is typed in 24 hours, in the zone of its field, and a day that no month has is none", () => {
  const at = Date.UTC(2026, 10, 24, 13);
  expect(toField(at, "Asia/Tokyo")).toBe("2026-11-24 22:00");
  for (const text of ["2026-11-24 22:00", " 2026-11-24T22:00 "]) expect(fromField(text, "Asia/Tokyo")).toBe(at);
  for (const text of ["", "soon", "2026-02-30 10:00", "2026-11-24 25:00"])
    expect(fromField(text, "UTC")).toBeUndefined();
  // A time of day alone is the last one.
  expect(fromField("22:00", "Asia/Tokyo", at)).toBe(at);
  expect(fromField("22:01", "Asia/Tokyo", at)).toBe(at - 86_340_000);
});

test("the times in a text of the server are shown in the zone of the reader, and ids of runs as they are", () => {
  const now = Date.UTC(2026, 10, 24, 13);
  const text = "import@2026-11-24T10:00:00.000Z: held since 2026-11-24T12:30:00.000Z";
  expect(inZone(text, now, "Asia/Tokyo")).toBe("import@2026-11-24T10:00:00.000Z: held since 21:30");
});
