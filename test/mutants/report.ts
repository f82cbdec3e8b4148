import { rowOf } from "./rows.js";
import type { Verdict } from "./trial.js";
import type { Mutant } from "./types.js";

/** A mutant and its outcome. */
export interface Tried {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
}

/** The lines that a mutant changes, before and after, and its name in the kept list. */
export function describeSurvivor(mutant: Mutant, text: string): string {
  const { start, end, replacement } = mutant;
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const to = text.indexOf("\n", end);
  const after = text.slice(from, start) + replacement + text.slice(end, to);
  const row = rowOf(mutant, text);
  return [...marked("-", text.slice(from, to)), ...marked("+", after), `    ${row}`].join("\n");
}

function marked(sign: string, lines: string): string[] {
  return lines.split("\n").map((line) => `  ${sign} ${line}`);
}

/** How many there were of each outcome, and the names of those that no test noticed. */
export function summary(tried: readonly Tried[]): string {
  const of = (outcome: Verdict["outcome"]): Tried[] => tried.filter(({ verdict }) => verdict.outcome === outcome);
  const counts = (["killed", "stuck", "survived", "broken"] as const).map((it) => `${of(it).length} ${it}`).join(", ");
  const names = [...of("survived"), ...of("broken")].map(
    ({ mutant, verdict }) => `  ${verdict.outcome}: ${mutant.name}`,
  );
  return [`\n${tried.length} mutants: ${counts}`, ...names].join("\n");
}
