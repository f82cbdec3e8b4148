/**
 * Cells in which two versions share a store. They need the base version, whose build takes a minute.
 * @module-tag full
 */
import { beforeAll, expect, it } from "vitest";
import { buildBase, whyNoBase } from "../../scripts/lib/base.mjs";
import { type Cell, runCell, whySkipped } from "./run/cell.js";
import { expectNothingBroken, LIMIT, quickCell } from "./run/quick.js";
import { mixedBugs } from "./traffic/mixed-bugs.js";

/** The limit of the build, in ms: it may have to download and compile what the base version depends on. */
const BUILD = 900_000;

const missing = whyNoBase();
let base: string | undefined;
beforeAll(async () => {
  if (missing === undefined) base = await buildBase();
}, BUILD);

/** Why a cell cannot be mixed here; `undefined` if it can. */
const whyNot = (cell: Cell): string | undefined => missing ?? whySkipped(cell);

it("no law is broken while two versions share a store, are upgraded and rolled back", { timeout: LIMIT }, async ({
  skip,
}) => {
  const cell = quickCell("sqlite", "holder stopped, longer", "tick");
  const why = whyNot(cell);
  if (why !== undefined) skip(why);
  const result = await runCell({ ...cell, ...(base !== undefined && { base }) });
  expectNothingBroken(result);
  expect(result.baseRuns).toBeGreaterThan(0);
  expect(result.baseRuns).toBeLessThan(result.runs);
});

it.for(mixedBugs.map(({ name }) => name))(
  "only a mixed cell finds the planted bug: %s",
  { timeout: LIMIT },
  async (bug, { skip }) => {
    const cell = quickCell("sqlite", "none", "try", bug);
    const why = whyNot(cell);
    if (why !== undefined) skip(why);
    const mixed = await runCell({ ...cell, ...(base !== undefined && { base }) });
    expect(mixed.violations.map(({ law }) => law)).toContain("one holder");
    expectNothingBroken(await runCell(cell));
  },
);
