import { expect, test } from "vitest";
import { durationText, spanText } from "./span.js";

test.each([
  [0, "0 ms"],
  [0.4, "0 ms"],
  [999.4, "999 ms"],
  [999.6, "1 s"],
  [5_000, "5 s"],
  [1_234, "1.234 s"],
  [59_999.6, "1 min"],
  [90_000, "1 min 30 s"],
  [2_400_000, "40 min"],
  [3_599_999, "1 h"],
  [5_400_000, "1 h 30 min"],
  [3_601_000, "1 h 1 s"],
  [86_400_000, "1 d"],
  [93_784_000, "1 d 2 h"],
  [-5, "-5 ms"],
  [Number.POSITIVE_INFINITY, "Infinity ms"],
])("%d ms are said as %s", (ms, text) => {
  expect(spanText(ms)).toBe(text);
});

test.each([
  [0.4, "0 ms"],
  [999, "999 ms"],
  [999.6, "1.0 s"],
  [1_200, "1.2 s"],
  [59_970, "1 min 0 s"],
  [3_599_700, "1 h 0 min"],
  [200_000, "3 min 20 s"],
  [7_500_000, "2 h 5 min"],
])("a duration of %d ms is shown as %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
