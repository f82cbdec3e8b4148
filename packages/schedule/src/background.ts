import { isChannelError } from "@ojm/core";
import { emitWarning, LINES, visible } from "@ojm/core/internal";

/**
 * Runs a task that nobody awaits. A `ChannelError` is dropped: the task is tried again. Any other error is
 * a fault of this package or of a backend: it becomes a process warning, so that it does not end a process
 * that runs jobs.
 */
export async function inBackground(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isChannelError(error)) return;
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    emitWarning("OJM_BACKGROUND", `in the background: ${visible(why, LINES)}`);
  }
}

/** Tells the people who run a process what they must know of a schedule. */
export function warn(text: string): void {
  emitWarning("OJM_SCHEDULE", visible(text));
}
