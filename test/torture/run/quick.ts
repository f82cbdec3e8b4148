import { expect } from "vitest";
import { troubleOf } from "../report/lines.js";
import type { Mode } from "../scene/events.js";
import type { Cell, CellResult } from "./cell.js";
import { cellOf } from "./task.js";

const SEED = Number(process.env["OJM_SEED"] ?? 1);
const TTL = 700;
/**
 * Tests run beside others, which delay a commit more than any check of lags can see. A lock that is stuck is
 * free only after its time to live of 10 s, or never; the matrix, on a quiet machine, holds the bounds as
 * they are documented.
 */
const SLACK = 3_000;
/** The limit of a test that runs a cell, in ms. Only a cell that fails needs this long. */
export const LIMIT = 300_000;

/** A cell with the short leases of the tests. */
export function quickCell(backend: string, fault: string, mode: Mode, bug?: string, seed: number = SEED): Cell {
  return { ...cellOf({ backend, fault, mode, seed, ttl: TTL, ...(bug !== undefined && { bug }) }), slack: SLACK };
}

/** Expects that no law was broken, and that something ran. */
export function expectNothingBroken(result: CellResult): void {
  if (result.violations.length > 0) console.error(troubleOf(result));
  expect(result.violations).toEqual([]);
  expect(result.runs).toBeGreaterThan(0);
}
