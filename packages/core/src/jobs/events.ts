import type { StoreGoneEvent } from "../channel/backend/store.js";
import type {
  LockLostEvent,
  LockWaitedEvent,
  LockWaitingEvent,
  SessionEndedEvent,
  SessionRenewalEvent,
} from "../locks/events.js";
import { EventChannel } from "../util/events.js";
import type { LogDroppedEvent } from "./logs/types.js";
import type { PendingRetry, RunRecord } from "./types.js";

/** A run began, or ended. */
export interface RunEvent {
  readonly record: RunRecord;
}

/** The job function of a run is about to be called. */
export interface RunCallingEvent {
  /** The id of the run. */
  readonly id: string;
  /**
   * Calls the job function through `wrapper`, which must call its argument once and at once, and return its
   * result. For a context around the function, such as an `AsyncLocalStorage`.
   */
  within(wrapper: (call: () => unknown) => unknown): void;
}

/** An attempt did not complete, and another one follows. */
export interface AttemptFailedEvent {
  /** The id of the run. */
  readonly id: string;
  readonly error: unknown;
  readonly next: PendingRetry;
}

export const attemptFailed: EventChannel<AttemptFailedEvent> = new EventChannel("ojm:attempt:failed");
export const runStarted: EventChannel<RunEvent> = new EventChannel("ojm:run:started");
export const runCalling: EventChannel<RunCallingEvent> = new EventChannel("ojm:run:calling");
export const runEnded: EventChannel<RunEvent> = new EventChannel("ojm:run:ended");

/**
 * The events of this process, by the names of their channels of `node:diagnostics_channel`. They cost nothing
 * without a listener. A listener is called in the middle of the work, so it must be short; an error that it
 * throws becomes an uncaught exception of the process.
 *
 * - `ojm:run:started`: a run of this process began.
 * - `ojm:run:calling`: the job function of that run is called next; a listener can add a context around it.
 * - `ojm:run:ended`: this process closed the record of a run, of its own or of a dead process. Exactly one of
 *   all processes publishes it.
 * - `ojm:attempt:failed`: an attempt did not complete, and this process makes another one.
 * - `ojm:lock:lost`: the signal of a lease fired.
 * - `ojm:lock:waiting`: a call began to wait for a lock.
 * - `ojm:lock:waited`: that wait is over, with or without the lock.
 * - `ojm:session:renewal`: a session of this process was renewed, or could not be.
 * - `ojm:session:ended`: a session of this process is over: unused, closed or lost. No renewal of it follows.
 * - `ojm:store:gone`: a SQLite file was deleted or replaced 10 s ago or more: this process can do nothing in
 *   it any more, and should end.
 * - `ojm:log:dropped`: lines of the log of a run were dropped, because its store was away or slow for too
 *   long.
 *
 * @example
 * import { subscribe } from "node:diagnostics_channel";
 * subscribe("ojm:run:ended", (event) => {
 *   const { record } = event as Events["ojm:run:ended"];
 *   if (record.inError) console.error(record.id, record.error);
 * });
 */
export interface Events {
  readonly "ojm:run:started": RunEvent;
  readonly "ojm:run:calling": RunCallingEvent;
  readonly "ojm:run:ended": RunEvent;
  readonly "ojm:attempt:failed": AttemptFailedEvent;
  readonly "ojm:lock:lost": LockLostEvent;
  readonly "ojm:lock:waiting": LockWaitingEvent;
  readonly "ojm:lock:waited": LockWaitedEvent;
  readonly "ojm:session:renewal": SessionRenewalEvent;
  readonly "ojm:session:ended": SessionEndedEvent;
  readonly "ojm:store:gone": StoreGoneEvent;
  readonly "ojm:log:dropped": LogDroppedEvent;
}
