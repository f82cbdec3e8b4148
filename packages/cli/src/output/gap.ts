import type { LogGap } from "@ojm/core/internal";

/** A place in a log where lines are missing, as text. */
export function sayGap({ missing }: LogGap): string {
  if (missing === "unknown") return "… the end is missing";
  return missing.lines === 1 ? "… 1 line is missing" : `… ${missing.lines} lines are missing`;
}
