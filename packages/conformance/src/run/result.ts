import type { Case } from "../case/case.js";

/** How a case ended. */
export type Outcome =
  /** The law holds. */
  | "pass"
  /** The backend declares that it lacks what the case needs, and refuses it as it must. */
  | "refused"
  /** The case fails, and the harness lists it as a known failure with a reason. */
  | "known"
  /** The harness offers no way to test it. */
  | "skipped"
  | "fail";

/** The result of one case. */
export interface CaseResult {
  readonly id: string;
  readonly law: string;
  readonly outcome: Outcome;
  /** Why the case was skipped, is known to fail, or failed. */
  readonly reason?: string;
  /** The error of a case that failed. */
  readonly error?: unknown;
  readonly ms: number;
}

/** All results of a run. */
export interface RunReport {
  readonly backend: string;
  readonly profile: string;
  readonly seed: number;
  readonly supports?: unknown;
  readonly results: readonly CaseResult[];
}

/** Whether the run proves the backend: no case failed. */
export function isGood(report: RunReport): boolean {
  return report.results.every(({ outcome }) => outcome !== "fail");
}

/** Counts the results by outcome. */
export function tally(results: readonly CaseResult[]): Record<Outcome, number> {
  const counts: Record<Outcome, number> = { pass: 0, refused: 0, known: 0, skipped: 0, fail: 0 };
  for (const { outcome } of results) counts[outcome]++;
  return counts;
}

/**
 * Adjusts the result of a case that the harness lists as a known failure for `reason`. A failure becomes
 * `known`. A case that passes or is refused becomes a failure. A skipped case stays skipped.
 */
export function againstKnown(it: Case, result: CaseResult, reason: string | undefined): CaseResult {
  if (reason === undefined) return result;
  if (result.outcome === "fail") {
    return { id: it.id, law: it.law, outcome: "known", reason, ms: result.ms };
  }
  if (result.outcome === "skipped") return result;
  const error = new Error(`${it.id} is listed as a known failure ("${reason}"), but it passes: take it off the list`);
  return { ...result, outcome: "fail", reason: error.message, error };
}
