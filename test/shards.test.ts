import { expect, it } from "vitest";
import { shards, testFiles } from "../scripts/lib/test-files.mjs";

it("each test file is in one of three shards, and they take about the same time", () => {
  const dealt = shards(3);
  expect(dealt.flatMap(({ files }) => files).sort()).toEqual(testFiles().sort());
  const seconds = dealt.map((shard) => shard.seconds);
  expect(Math.max(...seconds)).toBeLessThan(1.1 * Math.min(...seconds));
});
