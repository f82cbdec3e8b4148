import vm from "node:vm";
import { type MessagePort, parentPort } from "node:worker_threads";
import { compile } from "../compile.js";
import { fromFailure, toFailure } from "../failure.js";
import type { DoneMessage, FailureData, RunMessage } from "../protocol.js";
import { isAskedToStop, post } from "./bridge.js";
import { portable } from "./functions/values.js";
import { applyGlobals, changedGlobals, isQuiet } from "./globals.js";
import { reporting, Skipping } from "./job.js";
import { exportedFunction, requireOf } from "./modules.js";
import { forgetFunctions, giveFunctions, giveVariables, setClock, setFolder, storeFunctions } from "./state.js";

const main = parentPort as MessagePort;
let stopping: AbortController | undefined;

/** Fires `job.signal` of the current script at a request to stop. */
export function stop(): void {
  stopping?.abort(new Error("the job was asked to stop"));
}

/** Runs one script and reports to the main thread how it ended. */
export async function run(message: RunMessage): Promise<void> {
  setClock(message.ahead);
  applyGlobals(message.globals);
  giveVariables(message.variables ?? {}, message.fresh);
  setFolder(message.job["pwd"]);
  giveFunctions(message.args, message.fresh);
  stopping = new AbortController();
  if (isAskedToStop()) stop();
  // While a script runs, only the script keeps the thread alive. A script that awaits something that never
  // comes ends the thread, which the main thread notices. Otherwise it would hang until its timeout.
  main.unref();
  const skipping = new Skipping(message.exception !== undefined);
  let failure: FailureData | undefined;
  let result: unknown;
  try {
    const { args, exception, file } = message;
    const skip = (reason?: unknown): never => skipping.skip(reason);
    const job = { ...message.job, ...reporting, signal: stopping.signal, skip };
    if (message.module) result = await exportedFunction(file, message.job["name"])(args, job);
    else {
      const script = compile(message, importer(message.code));
      result = await script.call(globalThis, args, job, exception && thrownBy(exception), requireOf(file));
    }
  } catch (error) {
    if (!skipping.threw(error)) failure = toFailure(error);
  }
  const { reason } = skipping;
  main.ref();
  // Wait for one turn of the event loop: an unhandled rejection then fires here, and not under the next
  // script.
  await new Promise((resolve) => setImmediate(resolve));
  const { args } = message;
  const how = failure !== undefined ? { failure } : reason !== undefined ? { skip: reason } : { result };
  const changes = changedGlobals();
  finish({ type: "done", ...how, args, ...changes, reusable: changes.unshared.length === 0 && isQuiet() });
}

/** The exception for a `catch`: the thrown value, or an error with the stack of the thrown one. */
function thrownBy(failure: FailureData): unknown {
  if (failure.thrown !== undefined) return failure.thrown.value;
  const error = fromFailure(failure);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}

/** Set only if a script uses `import`: the loader is experimental in Node, and warns on the terminal. */
function importer(code: string): unknown {
  if (!/\bimport\s*\(/.test(code)) return undefined;
  return (vm.constants as unknown as Record<string, unknown> | undefined)?.["USE_MAIN_CONTEXT_DEFAULT_LOADER"];
}

function finish(done: DoneMessage): void {
  try {
    post(done);
    forgetFunctions();
  } catch {
    // Functions and similar values cannot leave the thread, so the result omits them.
    const { failure, result, args } = done;
    storeFunctions(args);
    const thrown = failure?.thrown && { thrown: { value: portable(failure.thrown.value) } };
    const rest = { result: portable(result), args: portable(args) as Record<string, unknown> };
    post({ ...done, ...rest, ...(failure && { failure: { ...failure, ...thrown } }) });
  }
}
