import { isRunError } from "./errors.js";
import type { OpenRun } from "./open-run.js";
import type { Outcome, Run } from "./types.js";

/** Runs a body to its end, or to the moment at which it may no longer run. */
export async function runBody<T>(run: OpenRun, body: (run: Run) => T | Promise<T>): Promise<Outcome<T>> {
  try {
    // Cancelled in the very moment in which it had its lock; or paused since, and the timer that ends the lease has not come to it.
    run.assertHeld();
    const result = await untilOver(run, body);
    if (run.stopped !== undefined) throw run.stopped;
    // A body that called end() itself has written its record.
    const record = await (run.closing ?? run.end(result));
    return { result, record };
  } catch (error) {
    throw await explained(run, error);
  }
}

/** What the body returns. Rejects without it when the lock is over; a body that is merely cancelled is waited for. */
function untilOver<T>(run: OpenRun, body: (run: Run) => T | Promise<T>): Promise<T> {
  // After the lock is over nobody waits for the body any more: what it throws then is nobody's.
  return new Promise((resolve, reject) => {
    run.whenLockOver(reject);
    (async () => body(run))().then(resolve, reject);
  });
}

/** Closes the record, and says why the run did not complete. */
async function explained(run: OpenRun, error: unknown): Promise<unknown> {
  if (run.closing !== undefined) {
    // The run is over already: by its timeout, by a loss, or by the body itself. Whoever waits for it must know, also with a store that is away.
    await run.closedSoon();
    return error;
  }
  // Neither must be hidden by a store that is away: the record is closed by whoever finds it.
  if (isRunError(run.stopped) && run.stopped.code === "CANCELLED") {
    await run.cancel(run.stopped.message).catch(() => {});
    return run.stopped;
  }
  await run.fail(error).catch(() => {});
  return error;
}
