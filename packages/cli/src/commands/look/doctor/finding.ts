import type { JsonValue } from "@ojm/core";

/** The result of one check. */
export interface Finding {
  /** The subject of the check. */
  readonly check: Check;
  /**
   * `problem`: jobs do not run as they should. `warning`: they may not, or a user wanted it so. `note`:
   * nothing is wrong, and it explains what other commands show.
   */
  readonly state: "ok" | "note" | "warning" | "problem";
  readonly text: string;
  /** What to do. */
  readonly help?: string;
  /** The numbers and names behind the text. */
  readonly evidence?: { readonly [field: string]: JsonValue };
}

export type Check =
  | "round trips"
  | "store"
  | "format"
  | "disk"
  | "versions"
  | "clocks"
  | "sessions"
  | "locks"
  | "runs"
  | "schedulers"
  | "definitions"
  | "pauses"
  | "maintenance"
  | "queues"
  | "holds"
  | "entries";

type FindingOf = (check: Check, text: string, details?: Pick<Finding, "help" | "evidence">) => Finding;

const of =
  (state: Finding["state"]): FindingOf =>
  (check, text, details) => ({ check, state, text, ...details });

export const ok: FindingOf = of("ok");
export const note: FindingOf = of("note");
export const warning: FindingOf = of("warning");
export const problem: FindingOf = of("problem");

/** A count with its noun: `1 run`, `2 runs`. */
export function count(number: number, noun: string, nouns = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : nouns}`;
}
