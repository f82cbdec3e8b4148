/**
 * Cells of the matrix on stores of several nodes.
 * @module-tag full
 */
import { expect, it } from "vitest";
import { runCell, whySkipped } from "./run/cell.js";
import { expectNothingBroken, LIMIT, quickCell } from "./run/quick.js";
import { unsafeSentinel } from "./stores/clusters/sentinel.js";

const sentinel = quickCell("redis-sentinel", "main node cut off with the holder", "try");
const cells = [
  sentinel,
  quickCell("redis-cluster", "main node killed", "run"),
  quickCell("etcd-cluster", "main node killed", "wait"),
  quickCell("postgres-replicas", "main node cut off with the holder", "run"),
];

it.for(cells)("no law is broken on $kind.name: $fault.name, $mode", { timeout: LIMIT }, async (cell, { skip }) => {
  const why = whySkipped(cell);
  if (why !== undefined) skip(why);
  expectNothingBroken(await runCell(cell));
});

it("the harness finds two holders under Sentinel with waitReplicas: 0", { timeout: LIMIT }, async ({ skip }) => {
  const cell = { ...sentinel, kind: unsafeSentinel };
  const why = whySkipped(cell);
  if (why !== undefined) skip(why);
  const { violations } = await runCell(cell);
  expect(violations.map(({ law }) => law)).toContain("one holder");
});
