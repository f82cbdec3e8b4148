import vm from "node:vm";
import { type MessagePort, parentPort } from "node:worker_threads";
import { compile } from "../compile.js";
import { fromFailure, toFailure } from "../failure.js";
import type { DoneMessage, FailureData, RunMessage } from "../protocol.js";
import { post } from "./bridge.js";
import { setClock } from "./clock.js";
import { applyGlobals, changedGlobals } from "./globals.js";
import { exportedFunction, requireOf } from "./modules.js";
import { portable } from "./portable.js";
import { isQuiet } from "./quiet.js";

const main = parentPort as MessagePort;
let stopping: AbortController | undefined;

/** Tells the script that runs, through `job.signal`, that it is asked to stop. */
export function stop(): void {
  stopping?.abort(new Error("the job was asked to stop"));
}

/** Runs one script and tells the main thread how it ended. */
export async function run(message: RunMessage): Promise<void> {
  setClock(message.ahead);
  applyGlobals(message.globals);
  stopping = new AbortController();
  // While a script runs, nothing but the script keeps the thread alive: one that awaits what never comes ends it, and that
  // is seen, where it would otherwise hang until its timeout.
  main.unref();
  let failure: FailureData | undefined;
  let result: unknown;
  try {
    result = await execute(message, stopping.signal);
  } catch (error) {
    failure = toFailure(error);
  }
  main.ref();
  // One turn of the event loop: a rejection that nobody handles goes off in it, and not under the next script.
  await new Promise((resolve) => setImmediate(resolve));
  const { args } = message;
  finish({ type: "done", ...(failure && { failure }), result, args, globals: changedGlobals(), reusable: isQuiet() });
}

function execute(message: RunMessage, signal: AbortSignal): unknown {
  const { args, exception, file } = message;
  const job = { ...message.job, signal };
  if (message.module) return exportedFunction(file, message.job["name"])(args, job);
  const script = compile(message, importer(message.code));
  return script.call(globalThis, args, job, exception && withStack(exception), requireOf(file));
}

function withStack(failure: FailureData): Error {
  const error = fromFailure(failure);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}

/** Asked for only where a script imports: the loader is experimental in Node, and says so on the terminal. */
function importer(code: string): unknown {
  if (!/\bimport\s*\(/.test(code)) return undefined;
  return (vm.constants as unknown as Record<string, unknown> | undefined)?.["USE_MAIN_CONTEXT_DEFAULT_LOADER"];
}

function finish(done: DoneMessage): void {
  try {
    post(done);
  } catch {
    // Functions and the like cannot leave the thread: they are left out of what the script hands on.
    post({ ...done, result: portable(done.result), args: portable(done.args) as Record<string, unknown> });
  }
}
