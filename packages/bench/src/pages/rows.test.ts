import { expect, it } from "vitest";
import type { RivalRow } from "./rivals.js";
import { ratiosOf, rivalLines } from "./rows.js";

const row = (product: string, bytes: number, shown: readonly number[]): RivalRow => ({
  screen: "first page",
  product,
  weight: { requests: 3, bytes, foreign: product === "ojm" ? 0 : 1 },
  loads: shown.map((ms) => ({ paint: ms / 4, contentful: ms / 2, shown: ms, interactive: ms })),
});

it("compares the pages by the medians of their loads, so that one slow load decides nothing", () => {
  const ours = row("ojm", 40_960, [100, 120, 9_000]);
  const other = row("bull-board", 204_800, [400, 1, 480]);
  expect(ratiosOf(ours, other)).toEqual({ bytes: 0.2, paint: 0.3, contentful: 0.3, shown: 0.3 });
});

it("prints a line a product, and the ratio with its goal", () => {
  const lines = rivalLines([row("ojm", 40_960, [300]), row("bull-board", 204_800, [400])]);
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/200\.0 KB.*and 1 to other hosts$/);
  expect(lines[2]).toMatch(/ratio +0\.20 +0\.75 +0\.75 +0\.75 +goal for data 0\.5, missed$/);
});
