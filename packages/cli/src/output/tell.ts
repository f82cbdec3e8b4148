import { LINES, visible } from "@ojm/core/internal";

/**
 * Writes lines to stderr. Their text may come from a job file, a store or a driver: a terminal must only show
 * it.
 */
export function tell(text: string, written?: () => void): void {
  process.stderr.write(`${visible(text, LINES)}\n`, written);
}
