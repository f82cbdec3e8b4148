import { EventChannel } from "../util/events.js";
import type { HeldLock } from "./types.js";

/** A holder lost its lock, or held it for its whole timeout. */
export interface LockLostEvent {
  readonly name: string;
  readonly fence: string;
  readonly code: "LOST" | "TIMEOUT";
  readonly reason: string;
}

/** Somebody waits for a lock. */
export interface LockWaitingEvent {
  readonly name: string;
  /** The longest wait, in ms. */
  readonly wait: number;
  /** The lock and its holder; absent if the lock is free and others are ahead. */
  readonly held?: HeldLock;
}

export const lockLost: EventChannel<LockLostEvent> = new EventChannel("ojm:lock:lost");
export const lockWaiting: EventChannel<LockWaitingEvent> = new EventChannel("ojm:lock:waiting");
