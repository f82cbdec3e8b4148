import { LINES, visible } from "./text.js";

/** The codes of the process warnings of ojm. `docs/on-call/errors.md` explains each of them. */
export const WARNING_CODES = [
  "OJM_ALERT",
  "OJM_BACKGROUND",
  "OJM_EVICTION",
  "OJM_FULL",
  "OJM_HEARTBEAT",
  "OJM_LOG",
  "OJM_QUEUE",
  "OJM_RESULT",
  "OJM_SCHEDULE",
  "OJM_UI",
  "OJM_UNRECORDED",
] as const;

/** The code of a process warning of ojm. */
export type WarningCode = (typeof WARNING_CODES)[number];

/** The page that explains each code of an error or a warning, with a heading for each. */
const PAGE = "https://github.com/ojm-project/ojm/blob/main/docs/on-call/errors.md";

/** The address of the explanation of a code. */
export function explanationOf(code: string): string {
  return `${PAGE}#${code.toLowerCase()}`;
}

/**
 * Emits a process warning: on stderr, with the address of its explanation, and as an event of `process`. The
 * text may contain that of an error, and so what any program wrote to the store.
 */
export function emitWarning(code: WarningCode, text: string): void {
  process.emitWarning(visible(text, LINES), { type: "OjmWarning", code, detail: `See ${explanationOf(code)}` });
}
