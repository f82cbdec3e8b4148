import { isRunError } from "./errors.js";
import type { OpenRun } from "./open-run.js";
import type { Outcome, Run } from "./types.js";

/** Runs a body to its end, or to the moment at which it may no longer run. */
export async function runBody<T>(
  run: OpenRun,
  body: (run: Run) => T | Promise<T>,
  cancel: AbortSignal | undefined,
): Promise<Outcome<T>> {
  const onCancel = (): void => run.abort(reasonText(cancel?.reason));
  cancel?.addEventListener("abort", onCancel, { once: true });
  if (cancel?.aborted === true) onCancel();
  try {
    const result = await untilOver(run, body);
    if (run.stopped !== undefined) throw run.stopped;
    // A body that called end() itself has written its record.
    const record = await (run.closing ?? run.end(result));
    return { result, record };
  } catch (error) {
    throw await explained(run, error);
  } finally {
    cancel?.removeEventListener("abort", onCancel);
  }
}

/** What the body returns. Rejects without it when the lock is over; a body that is merely cancelled is waited for. */
async function untilOver<T>(run: OpenRun, body: (run: Run) => T | Promise<T>): Promise<T> {
  const over = new Promise<never>((_, reject) => run.whenLockOver(reject));
  over.catch(() => {});
  const work = (async () => body(run))();
  // After the lock is over nobody waits for the body any more; what it throws then has no listener.
  work.catch(() => {});
  return await Promise.race([work, over]);
}

/** Closes the record, and says why the run did not complete. */
async function explained(run: OpenRun, error: unknown): Promise<unknown> {
  if (run.closing !== undefined) {
    // The run is over already: by its timeout, by a loss, or by the body itself.
    await run.closing.catch(() => {});
    return error;
  }
  if (isRunError(run.stopped) && run.stopped.code === "CANCELLED") {
    await run.cancel(run.stopped.message);
    return run.stopped;
  }
  // What the body threw must not be hidden by a store that is away: the record is closed by whoever finds it.
  await run.fail(error).catch(() => {});
  return error;
}

function reasonText(reason: unknown): string {
  return reason instanceof Error ? reason.message : reason === undefined ? "no reason given" : String(reason);
}
