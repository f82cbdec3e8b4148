import { abortedError, isBusy, toChannelError } from "./errors.js";

/** How long a call retries while other processes hold the database locked, in ms. */
export const PATIENCE = 5_000;

/** The pause between two attempts, in ms. `busy_timeout` would block the event loop, and grow its pauses. */
export const PAUSE = 1;

/**
 * Runs `work` at once, and again every {@link PAUSE} while another process holds the database locked.
 * Resolves to its result.
 *
 * The pauses use real time even with an injected clock, because the other processes are real. Their timers
 * keep the process alive, because a caller awaits the result.
 *
 * @throws ChannelError `TIMEOUT` after {@link PATIENCE}; `ABORTED`; the meaning of an error of SQLite
 */
export function patiently<T>(work: () => T, file: string, signal?: AbortSignal): Promise<T> {
  try {
    if (signal?.aborted) throw abortedError(signal);
    return Promise.resolve(work());
  } catch (error) {
    return isBusy(error) ? retry(work, file, signal) : Promise.reject(toChannelError(error, file));
  }
}

function retry<T>(work: () => T, file: string, signal: AbortSignal | undefined): Promise<T> {
  const giveUp = performance.now() + PATIENCE;
  return new Promise((resolve, reject) => {
    const again = (): void => {
      try {
        if (signal?.aborted) throw abortedError(signal);
        resolve(work());
      } catch (error) {
        if (isBusy(error) && performance.now() < giveUp) setTimeout(again, PAUSE);
        else reject(toChannelError(error, file));
      }
    };
    setTimeout(again, PAUSE);
  });
}
