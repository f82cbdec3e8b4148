import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { JobProgress } from "../../output/live-lines.js";
import type { Level } from "../../output/log.js";
import { fromFailure } from "../failure.js";
import { ANSWERED, type Answer, type FromThread, STOPPED, type ThreadData } from "../protocol.js";
import { applyGlobals, changedGlobals } from "./globals.js";
import { now } from "./state.js";

const { answers, signal } = workerData as ThreadData;
// The main thread listens as long as this thread exists.
const main = parentPort as MessagePort;

/** After this many lines, a script waits until they are written: a loop could fill the memory. */
const LINES_AHEAD = 500;
let lines = 0;
let calls = 0;

/** The error that a call in which a script waits throws when the script is asked to stop. */
class StopError extends Error {
  override readonly name: string = "StopError";
  readonly code: string = "CANCELLED";
}

export function post(message: FromThread): void {
  main.postMessage(message);
}

/** Blocks this thread, and not the main thread. Throws once if the script is asked to stop. */
export function pause(ms: number): void {
  const end = performance.now() + ms;
  // Other threads need the globals that the script has set: a `stopWhen` may wait for them.
  const { globals } = changedGlobals();
  if (Object.keys(globals).length > 0) post({ type: "globals", globals });
  for (;;) {
    throwIfStopped();
    const left = end - performance.now();
    if (left <= 0) return;
    Atomics.wait(signal, STOPPED, 0, left);
  }
}

export function call(name: string, ...parameters: unknown[]): unknown {
  throwIfStopped();
  const id = ++calls;
  const message = { type: "call", id, call: name, parameters, globals: changedGlobals().globals } as const;
  try {
    post(message);
  } catch (error) {
    throw new TypeError(`what is passed to ${name} cannot leave the script: ${(error as Error).message}`);
  }
  const answer = awaitAnswer(id);
  applyGlobals(answer.globals);
  if (answer.failure !== undefined) throw fromFailure(answer.failure);
  return answer.value;
}

function awaitAnswer(id: number): Answer {
  for (;;) {
    // Read it before checking for an answer: one that arrives in between changes the value, so that the wait
    // ends at once.
    const seen = Atomics.load(signal, ANSWERED);
    const received = receiveMessageOnPort(answers) as { message: Answer } | undefined;
    if (received?.message.id === id) return received.message;
    if (received !== undefined) continue;
    throwIfStopped();
    Atomics.wait(signal, ANSWERED, seen);
  }
}

/** Whether the script is asked to stop and no call has thrown for it yet. */
export function isAskedToStop(): boolean {
  return Atomics.load(signal, STOPPED) === 1;
}

function throwIfStopped(): void {
  // Throw only once: the clean-up of the script may wait again.
  if (Atomics.compareExchange(signal, STOPPED, 1, 0) === 1) throw new StopError("the job was asked to stop");
}

export function logLine(level: Level, message: string): void {
  post({ type: "log", level, message, time: now() });
  holdBack();
}

export function printText(text: string, toError = false): void {
  post({ type: "print", text, toError });
  holdBack();
}

export function postProgress(progress: JobProgress): void {
  post({ type: "progress", ...progress });
  holdBack();
}

function holdBack(): void {
  if (++lines < LINES_AHEAD) return;
  lines = 0;
  call("room");
}
