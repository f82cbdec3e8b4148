/**
 * Cells in which two versions share a store. They need the base version, whose build takes a minute.
 * @module-tag full
 */
import { join } from "node:path";
import { temporaryFolder } from "@ojm/testing/folder";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { buildBase, whyNoBase } from "../../scripts/lib/base.mjs";
import { writeHistory } from "../support/history.js";
import { type Cell, runCell, whySkipped } from "./run/cell.js";
import { expectNothingBroken, LIMIT, quickCell } from "./run/quick.js";
import { mixedBugs } from "./traffic/mixed-bugs.js";
import { readElsewhere } from "./validate/both-stocks.js";
import { different } from "./validate/laws/both-read.js";

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

/*
 * A cell ends without holds, waiters, requests and sessions. This store has them, and each other kind of
 * entry. What the base version writes, the golden stores of its folder have.
 */
it("both versions read the same in a store in use that the current one wrote", { timeout: LIMIT }, async ({ skip }) => {
  if (missing !== undefined) skip(missing);
  const file = join(temporaryFolder(), "ojm.db");
  const store = { type: "sqlite", args: { file } };
  const live = await writeHistory({ store, text: `sqlite:${file}`, prefix: "mixed" });
  onTestFinished(() => live.close());
  const at = Date.now();
  const options = { chJobs: store, chLocks: store };
  const both = async () =>
    [await readElsewhere(options, at, undefined), await readElsewhere(options, at, base)] as const;
  const [found] = await both();
  for (const part of ["runs", "open", "retries", "holds", "schedules", "ticks", "backfills", "audit", "waiters"])
    expect([part, (found[part] as unknown[]).length > 0]).toEqual([part, true]);
  // Its processes are alive, and may write between the two readings.
  await expect.poll(async () => different("", ...(await both())), { timeout: LIMIT / 2 }).toEqual([]);
});
