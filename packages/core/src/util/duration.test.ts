import { describe, expect, test } from "vitest";
import {
  ABOVE_ZERO,
  checkedDuration,
  distanceText,
  durationOf,
  durationText,
  elapsedText,
  parseDuration,
} from "./duration.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [0, "0 ms"],
  [0.4, "0 ms"],
  [999.4, "999 ms"],
  [999.6, "1 s"],
  [5_000, "5 s"],
  [1_234, "1.2 s"],
  [59_940, "59.9 s"],
  [59_970, "1 min"],
  [90_000, "1 min 30 s"],
  [2_400_000, "40 min"],
  [3_599_700, "1 h"],
  [5_400_000, "1 h 30 min"],
  [3_601_000, "1 h"],
  [DAY, "1 d"],
  [93_784_000, "1 d 2 h"],
  [400 * DAY, "400 d"],
  [-5, "-5 ms"],
  [Number.POSITIVE_INFINITY, "Infinity ms"],
])("a duration of %d ms is shown as %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test.each([
  [0, "0 s"],
  [-3, "0 s"],
  [41_700, "41 s"],
  [104 * MINUTE + 10_000, "1 h 44 min"],
])("a text that counts shows %d ms as %s", (ms, text) => {
  expect(elapsedText(ms)).toBe(text);
});

test.each([
  [999, "now", "now"],
  [41_700, "in 41 s", "41 s ago"],
  [17 * MINUTE + 40_000, "in 17 min", "17 min ago"],
  [36 * HOUR, "in 1 d 12 h", "1 d 12 h ago"],
  [3 * DAY + 7 * HOUR, "in 3 d", "3 d ago"],
])("a distance of %d ms is %s or %s", (ms, ahead, ago) => {
  expect([distanceText(ms, 0), distanceText(0, ms)]).toEqual([ahead, ago]);
});

describe("a duration as a text", () => {
  test.each([
    ["0", 0],
    ["250ms", 250],
    ["90s", 90_000],
    ["1.1s", 1_100],
    ["10m", 10 * MINUTE],
    ["10min", 10 * MINUTE],
    ["10 m", 10 * MINUTE],
    ["1.5h", 90 * MINUTE],
    ["1h30m", 90 * MINUTE],
    ["1 h 30 min", 90 * MINUTE],
    ["30d", 30 * DAY],
    ["2w", 14 * DAY],
  ])("%s is %d ms", (text, ms) => {
    expect([parseDuration(text), durationOf(text), durationOf(ms)]).toEqual([ms, ms, ms]);
  });

  test.each(["", " ", "10", "h", "-1h", "1h-", "1 h ", "1  h", "tomorrow", "1y", "1.h", "1e3s", `${"9".repeat(400)}d`])(
    "%j is not a duration",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  /** A whole number from 0 to `most`, evenly distributed in its logarithm. */
  const any = (most: number): number => Math.floor(most ** Math.random());

  test("every shown duration is read as what it says, to the half of its last digit", () => {
    for (let i = 0; i < 20_000; i++) {
      const ms = any(5_000 * DAY) * (i % 2 === 0 ? 1 : Math.random());
      const read = parseDuration(durationText(ms)) ?? Number.NaN;
      const step = ms < 999.5 ? 0.5 : ms < 59_950 ? 50 : ms < HOUR - 500 ? 500 : ms < DAY - 500 ? MINUTE : HOUR;
      expect(Math.abs(read - ms), `${ms} is shown as ${durationText(ms)}`).toBeLessThanOrEqual(step);
      // The parsed duration is shown as the same text.
      expect(durationText(read)).toBe(durationText(ms));
    }
  });

  test("the parts of a text add up, whatever their units and order", () => {
    const units = Object.entries({ ms: 1, s: 1_000, m: MINUTE, min: MINUTE, h: HOUR, d: DAY, w: 7 * DAY });
    for (let i = 0; i < 5_000; i++) {
      const parts = Array.from({ length: 1 + (i % 5) }, () => {
        const [unit, size] = units[Math.floor(Math.random() * units.length)] ?? ["ms", 1];
        const count = any(10_000);
        return { text: `${count}${unit}`, ms: count * size };
      });
      const sum = parts.reduce((total, { ms }) => total + ms, 0);
      for (const between of ["", " "]) expect(parseDuration(parts.map(({ text }) => text).join(between))).toBe(sum);
    }
  });

  test("a text of a million characters is refused at once", () => {
    const start = performance.now();
    for (const text of ["1", "1 ", " ", "1s", "1.1"])
      expect(parseDuration(`${text.repeat(1_000_000)}x`)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

describe("an option that is a duration", () => {
  const read = (value: unknown, least?: number, most?: number): number =>
    checkedDuration(
      "wait",
      value,
      (message) => {
        throw new Error(message);
      },
      least,
      most,
    );

  test("takes ms, and a text with its unit", () => {
    expect([read(0), read(0.5), read("10m"), read("1s", 1_000, 1_000)]).toEqual([0, 0.5, 10 * MINUTE, 1_000]);
  });

  const FORM = 'in ms or as a text with its unit such as "90s" or "10m", not';

  test.each<[value: unknown, least: number | undefined, most: number | undefined, message: string]>([
    ["1 hour", undefined, undefined, `wait must be a duration, ${FORM} the text "1 hour"`],
    ["500", undefined, undefined, `wait must be a duration, ${FORM} the text "500"`],
    [-1, undefined, undefined, `wait must be a duration, ${FORM} -1`],
    [Number.NaN, undefined, undefined, `wait must be a duration, ${FORM} NaN`],
    [Number.POSITIVE_INFINITY, undefined, undefined, `wait must be a duration, ${FORM} Infinity`],
    [null, undefined, undefined, `wait must be a duration, ${FORM} null`],
    [{ hours: 1 }, undefined, undefined, `wait must be a duration, ${FORM} a map`],
    [0, ABOVE_ZERO, undefined, `wait must be a duration above 0, ${FORM} 0`],
    ["2d", 1_000, DAY, `wait must be a duration from 1 s up to 1 d, ${FORM} the text "2d"`],
  ])("refuses %j", (value, least, most, message) => {
    expect(() => read(value, least, most)).toThrow(message);
  });
});
