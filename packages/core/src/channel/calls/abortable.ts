import { whenAborted } from "../../util/abort/abort.js";
import { ChannelError } from "../errors.js";

/**
 * Stops waiting for `work` when `signal` fires. The work itself may go on: whether a write that was sent was
 * applied is unknown then.
 */
export function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  outcome: "not-applied" | "unknown",
): Promise<T> {
  return signal === undefined ? work : untilAbort(work, signal, outcome);
}

async function untilAbort<T>(work: Promise<T>, signal: AbortSignal, outcome: "not-applied" | "unknown"): Promise<T> {
  let stopListening: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(abortError(signal, outcome));
    if (signal.aborted) onAbort();
    else stopListening = whenAborted(signal, onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stopListening?.();
  }
}

/** Throws if `signal` has fired, before anything is sent. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal, "not-applied");
}

function abortError(signal: AbortSignal, outcome: "not-applied" | "unknown"): ChannelError {
  return new ChannelError("ABORTED", "the call was aborted by its signal", { outcome, cause: signal.reason });
}
