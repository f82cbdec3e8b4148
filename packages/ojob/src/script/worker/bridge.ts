import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Level } from "../../output/log.js";
import { fromFailure } from "../failure.js";
import { ANSWERED, type Answer, type FromThread, STOPPED, type ThreadData } from "../protocol.js";
import { now } from "./clock.js";
import { applyGlobals, changedGlobals } from "./globals.js";

const { answers, signal } = workerData as ThreadData;
// The main thread is on the other side as long as this thread exists.
const main = parentPort as MessagePort;

/** After so many lines in a row a script waits until they are written, or a loop that logs would fill the memory. */
const LINES_AHEAD = 500;
let lines = 0;
let calls = 0;

/** Thrown into a script that is asked to stop, by the call that it waits in. */
class StopError extends Error {
  override readonly name: string = "StopError";
  readonly code: string = "CANCELLED";
}

/** Tells the main thread something, without waiting. */
export function post(message: FromThread): void {
  main.postMessage(message);
}

/** Waits without blocking the main thread, but blocking this one. Throws once if the script is asked to stop. */
export function pause(ms: number): void {
  const end = performance.now() + ms;
  for (;;) {
    throwIfStopped();
    const left = end - performance.now();
    if (left <= 0) return;
    Atomics.wait(signal, STOPPED, 0, left);
  }
}

/** Lets the main thread do something and waits for what becomes of it. */
export function call(name: string, ...parameters: unknown[]): unknown {
  throwIfStopped();
  const id = ++calls;
  const message = { type: "call", id, call: name, parameters, globals: changedGlobals() } as const;
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
    // Read before looking: an answer that comes between the look and the wait changes it, and the wait ends at once.
    const seen = Atomics.load(signal, ANSWERED);
    const received = receiveMessageOnPort(answers) as { message: Answer } | undefined;
    if (received?.message.id === id) return received.message;
    if (received !== undefined) continue;
    throwIfStopped();
    Atomics.wait(signal, ANSWERED, seen);
  }
}

function throwIfStopped(): void {
  // Once only: what the script does to clean up may wait again.
  if (Atomics.compareExchange(signal, STOPPED, 1, 0) === 1) throw new StopError("the job was asked to stop");
}

/** A line for the log. */
export function logLine(level: Level, message: string): void {
  post({ type: "log", level, message, time: now() });
  holdBack();
}

/** Text for the output, as it is. */
export function printText(text: string, toError = false): void {
  post({ type: "print", text, toError });
  holdBack();
}

function holdBack(): void {
  if (++lines < LINES_AHEAD) return;
  lines = 0;
  call("room");
}
