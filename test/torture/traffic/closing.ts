import { isRunError } from "@ojm/core";

/** How long a body cleans up after its process was asked to end, in ms: at least, and at most. */
export const CLEANING = [20, 600] as const;

/** Whether a body must end because its process closes. Its lock is held until it has returned. */
export function isClosing({ aborted, reason }: AbortSignal): boolean {
  return aborted && isRunError(reason) && reason.code === "CLOSING";
}
