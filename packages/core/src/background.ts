import { isChannelError } from "./channel/errors.js";
import { LINES, visible } from "./visible.js";

/**
 * Does what nobody awaits and what is done again. A store that is away is told to those who call. Any other error is a fault of this package, of a
 * backend or of a callback: it is told as a warning, as it must not end a process that holds locks.
 */
export async function inBackground(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isChannelError(error)) return;
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`in the background: ${visible(why, LINES)}`, { type: "OjmWarning", code: "OJM_BACKGROUND" });
  }
}
