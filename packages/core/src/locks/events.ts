import type { Clock } from "../util/clock.js";
import { EventChannel } from "../util/events.js";
import type { HeldLock } from "./types.js";

/** A holder lost its lock, or held it for its whole timeout. */
export interface LockLostEvent {
  readonly name: string;
  readonly fence: string;
  readonly code: "LOST" | "TIMEOUT";
  readonly reason: string;
}

/** A caller waits for a lock. */
export interface LockWaitingEvent {
  readonly name: string;
  /** The longest wait, in ms. */
  readonly wait: number;
  /** The lock and its holder; absent if the lock is free and others are ahead. */
  readonly held?: HeldLock;
}

/** The wait for a lock is over. */
export interface LockWaitedEvent {
  readonly name: string;
  /** How long it took, in ms. */
  readonly duration: number;
  /** Whether the lock was taken. If not, the wait timed out, or the caller gave up. */
  readonly taken: boolean;
}

/** The session of this process, which holds its locks, was renewed in the store, or could not be. */
export interface SessionRenewalEvent {
  /** The id of the session. Each open manager has a session of its own. */
  readonly session: string;
  /** How long the store took to answer, in ms. */
  readonly duration: number;
  readonly ok: boolean;
}

/** A session is over: it was unused, closed or lost. No renewal of it follows. */
export interface SessionEndedEvent {
  /** The id of the session. */
  readonly session: string;
  readonly reason: string;
}

export const lockLost: EventChannel<LockLostEvent> = new EventChannel("ojm:lock:lost");
export const lockWaiting: EventChannel<LockWaitingEvent> = new EventChannel("ojm:lock:waiting");
const lockWaited: EventChannel<LockWaitedEvent> = new EventChannel("ojm:lock:waited");
export const sessionRenewal: EventChannel<SessionRenewalEvent> = new EventChannel("ojm:session:renewal");
export const sessionEnded: EventChannel<SessionEndedEvent> = new EventChannel("ojm:session:ended");

/** Publishes the end of a wait for a lock. The result of `wait` has a fence if the lock was taken. */
export async function tellWait<T extends object>(name: string, clock: Clock, wait: Promise<T>): Promise<T> {
  const began = clock.monotonic();
  let taken = false;
  try {
    const outcome = await wait;
    taken = "fence" in outcome;
    return outcome;
  } finally {
    lockWaited.publish(() => ({ name, duration: clock.monotonic() - began, taken }));
  }
}
