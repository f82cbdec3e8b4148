import fc from "fast-check";
import type { CaseContext } from "../case/context.js";

/**
 * Throws unless `body` holds for the values that `arbitraries` generate. Shrinks a counterexample first. Uses
 * the seed of the case.
 */
export async function property<T extends [unknown, ...unknown[]]>(
  t: CaseContext,
  arbitraries: { [I in keyof T]: fc.Arbitrary<T[I]> },
  runs: number,
  body: (...values: T) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(...arbitraries, body), { seed: t.seed | 0, numRuns: runs, endOnFailure: false });
}
