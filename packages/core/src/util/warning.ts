/** The codes of the process warnings of ojm. The README of `@ojm/core` says what each of them means. */
export const WARNING_CODES = [
  "OJM_ALERT",
  "OJM_BACKGROUND",
  "OJM_EVICTION",
  "OJM_FULL",
  "OJM_HEARTBEAT",
  "OJM_LOG",
  "OJM_RESULT",
  "OJM_SCHEDULE",
  "OJM_UI",
] as const;

/** The code of a process warning of ojm. */
export type WarningCode = (typeof WARNING_CODES)[number];

/** Warns the people who run this process: on stderr, and by the event `warning` of `process`. */
export function emitWarning(code: WarningCode, text: string): void {
  process.emitWarning(text, { type: "OjmWarning", code });
}
