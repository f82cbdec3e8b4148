import { whenAborted } from "../../util/abort.js";
import { RunError } from "../errors.js";
import { runCalling } from "../events.js";
import { errorText } from "../records/record.js";
import type { Outcome, Run, RunOptions } from "../types.js";
import type { RunContext } from "./context.js";
import type { OpenRun } from "./open-run.js";
import { CLOSED, NOT_BEGUN } from "./run-group.js";
import { startRun } from "./start-run.js";

/** Starts a run, and runs a body until it ends, or until the run must stop. */
export async function runBody<T>(
  context: RunContext,
  name: string,
  body: (run: Run) => T | Promise<T>,
  options: RunOptions,
): Promise<Outcome<T>> {
  if (typeof body !== "function") {
    throw new RunError("INVALID", String(name), `the body of "${name}" must be a function`);
  }
  return endBody(await startRun(context, name, options), body);
}

/** Runs the body of a run that was just started, and ends the run. */
export async function endBody<T>(run: OpenRun, body: (run: Run) => T | Promise<T>): Promise<Outcome<T>> {
  let hasBegun = false;
  try {
    // Check before the body starts: the run may be cancelled already, or the timers of the lease are late.
    run.assertHeld();
    hasBegun = true;
    const result = await untilOver(run, body);
    if (run.stopped !== undefined) throw run.stopped;
    // A body that called `end()` has already written its record.
    const record = await (run.closing ?? run.end(result));
    return { result, record };
  } catch (error) {
    throw await explained(run, error, hasBegun);
  }
}

/** Resolves once `work` does, or once `closing` fires. `work` must not reject. */
export async function unlessClosing(closing: AbortSignal, work: Promise<unknown>): Promise<void> {
  let forget = (): void => {};
  const closed = new Promise<void>((resolve) => {
    forget = whenAborted(closing, resolve);
  });
  if (!closing.aborted) await Promise.race([work, closed]);
  forget();
}

/** Closes a run whose body gave up to a close. If it may be repeated, another process makes the attempt. */
async function interrupted(run: OpenRun, reason: RunError, error: unknown, hasBegun: boolean): Promise<void> {
  const what = hasBegun ? CLOSED : NOT_BEGUN;
  const why = error === reason ? what : `${what}: ${errorText(error)}`;
  if (run.isRetried || (run.isAwaited && !hasBegun)) await run.handOver(why);
  else await run.cancel(why);
}

/** Resolves to the result of the body. Rejects once the lock is over; a cancel waits for the body. */
function untilOver<T>(run: OpenRun, body: (run: Run) => T | Promise<T>): Promise<T> {
  // After the lock is over, no caller waits for the body, so its later error is dropped.
  return new Promise((resolve, reject) => {
    run.whenLockOver(reject);
    const result = runCalling.hasListeners ? calledWithin(run, body) : body(run);
    // `resolve` with a promise would drop a later `reject`.
    if (typeof result === "object" || typeof result === "function") Promise.resolve(result).then(resolve, reject);
    else resolve(result);
  });
}

/** Calls a body within the wrappers of the listeners, such as the span of the run. */
function calledWithin<T>(run: OpenRun, body: (run: Run) => T | Promise<T>): T | Promise<T> {
  let call = (): unknown => body(run);
  const within = (wrapper: (inner: () => unknown) => unknown): void => {
    const inner = call;
    call = () => wrapper(inner);
  };
  runCalling.publish(() => ({ id: run.id, within }));
  return call() as T | Promise<T>;
}

/** Closes the record. Resolves to the error with which `run` rejects. */
async function explained(run: OpenRun, error: unknown, hasBegun: boolean): Promise<unknown> {
  if (run.closing !== undefined) {
    // The run is over: by its timeout, by a loss, or by the body itself. Wait only a moment for its record,
    // so that the caller gets the error even if the store is away.
    await run.closedSoon();
    return error;
  }
  // Drop an error of the store: it must not hide why the run ended. A later check closes the record.
  if (run.stopped?.code === "CANCELLED") {
    await run.cancel(run.stopped.message).catch(() => {});
    return run.stopped;
  }
  if (run.interrupted !== undefined) {
    await interrupted(run, run.interrupted, error, hasBegun).catch(() => {});
    return run.interrupted;
  }
  await run.fail(error).catch(() => {});
  // The timeout may have passed before a timer noticed it: the record says `timeout` then.
  return run.stopped ?? error;
}
