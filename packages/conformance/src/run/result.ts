import type { Case } from "../case/case.js";

/** What became of a case. */
export type Outcome =
  /** The law holds. */
  | "pass"
  /** The backend declares that it cannot, and refuses as it must. */
  | "refused"
  /** It fails, as the harness lists with a reason. */
  | "known"
  /** The harness offers no way to find out. */
  | "skipped"
  | "fail";

/** A case and what became of it. */
export interface CaseResult {
  readonly id: string;
  readonly law: string;
  readonly outcome: Outcome;
  /** Why it was skipped, is known to fail, or failed. */
  readonly reason?: string;
  /** What was thrown, for a failure. */
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

/** Whether a run proves the backend: nothing failed. */
export function isGood(report: RunReport): boolean {
  return report.results.every(({ outcome }) => outcome !== "fail");
}

/** How many results there are of each outcome. */
export function tally(results: readonly CaseResult[]): Record<Outcome, number> {
  const counts: Record<Outcome, number> = { pass: 0, refused: 0, known: 0, skipped: 0, fail: 0 };
  for (const { outcome } of results) counts[outcome]++;
  return counts;
}

/** Turns a result about, where the harness lists the case as a known failure. */
export function againstKnown(it: Case, result: CaseResult, reason: string | undefined): CaseResult {
  if (reason === undefined) return result;
  if (result.outcome === "fail") {
    return { id: it.id, law: it.law, outcome: "known", reason, ms: result.ms };
  }
  if (result.outcome === "skipped") return result;
  const error = new Error(`${it.id} is listed as a known failure ("${reason}"), but it passes: take it off the list`);
  return { ...result, outcome: "fail", reason: error.message, error };
}
