import { abortedError, isBusy, toChannelError } from "./errors.js";

/** How long a call tries while other processes are in the way, in ms. */
export const PATIENCE = 5_000;

/**
 * The pause between two tries, in ms. SQLite's own `busy_timeout` would block the event loop, and its growing pauses let a process
 * that writes all the time win for seconds.
 */
export const PAUSE = 1;

/**
 * What `work` returns, tried at once and, as long as another process is in the way, again every {@link PAUSE}.
 *
 * The pauses are real time whatever clock is injected, as it is real processes that are waited for; their timers
 * keep the process alive, as somebody awaits the result.
 *
 * @throws ChannelError `TIMEOUT` after {@link PATIENCE}, `ABORTED`, or what the error of SQLite means
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
