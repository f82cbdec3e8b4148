import { LINES, visible } from "../../util/visible.js";
import { emitWarning } from "../../util/warning.js";
import { isChannelError } from "../errors.js";

/**
 * Runs a periodic task that nobody awaits. A `ChannelError` is dropped: the next period tries again, and
 * callers learn of it from their own calls. Any other error is a fault of this package, a backend or a
 * callback: it becomes a process warning, so that it does not end a process that holds locks.
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
