import { visible } from "../util/visible.js";
import { emitWarning } from "../util/warning.js";

/** A result of a thousand functions must not fill the terminal. */
const MOST_SHOWN = 5;

/** How many warnings are remembered. A program may have a job for each of its users. */
const MOST_REMEMBERED = 1_000;

const given = new Set<string>();

/**
 * Warns that the record of a run does not hold all of its result. A job that runs each second gives the same
 * warning only once.
 */
export function warnOfLostResult(name: string, lost: readonly string[]): void {
  if (lost.length === 0) return;
  const more = lost.length > MOST_SHOWN ? `; and ${lost.length - MOST_SHOWN} more` : "";
  const text = `the record of "${name}" cannot hold its result as it is: ${lost.slice(0, MOST_SHOWN).join("; ")}${more}`;
  if (given.has(text)) return;
  if (given.size >= MOST_REMEMBERED) given.clear();
  given.add(text);
  emitWarning("OJM_RESULT", visible(text));
}
