import { emitWarning, visible } from "@ojm/core/internal";

/** Emits a process warning about a schedule. */
export function warn(text: string): void {
  emitWarning("OJM_SCHEDULE", visible(text));
}
