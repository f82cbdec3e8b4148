import { findViolation } from "./check.js";
import type { History } from "./history.js";
import { shrink } from "./shrink.js";
import { timeline } from "./timeline.js";

/** The error for a history that no correct store can have produced. */
export class NotLinearizable extends Error {
  override readonly name: string = "NotLinearizable";
  readonly history: History;

  constructor(law: string, history: History, outOf: number) {
    super(`${law}\n\n${history.length} of ${outOf} operations are enough to show it:\n${timeline(history)}`);
    this.history = history;
  }
}

/**
 * Throws {@link NotLinearizable} if no correct store can have produced the history. The error has the
 * smallest part of the history that shows it.
 */
export function assertLinearizable(history: History): void {
  if (findViolation(history) === undefined) return;
  const smallest = shrink(history);
  const violation = findViolation(smallest);
  throw new NotLinearizable(violation?.law ?? "", smallest, history.length);
}
