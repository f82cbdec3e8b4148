import type { Injected } from "../faults/fault.js";
import type { Stock } from "../scene/events.js";
import type { Scene } from "../scene/scene.js";
import type { Closing } from "./record-watch.js";
import type { ObservedRun } from "./run-of.js";

/** The evidence by which a cell is judged. */
export interface Evidence {
  readonly scene: Scene;
  readonly runs: readonly ObservedRun[];
  readonly injected: Injected | undefined;
  readonly stock: Stock | undefined;
  /** What the other version found in the store after that, if workers of two versions shared it. */
  readonly otherStock?: Stock | undefined;
  /** How each record was closed, as a watch of the records saw it. */
  readonly closings: ReadonlyMap<string, readonly Closing[]>;
}

/** A broken law, and when it was detected. */
export interface Violation {
  readonly law: Law;
  readonly text: string;
  readonly t?: number;
}

/** The laws, by the names under which violations are reported. */
export type Law =
  | "one holder"
  | "no more than its permits"
  | "no faster than its rate"
  | "each item ends once"
  | "one item a key"
  | "no item during a pause"
  | "fences increase"
  | "older fence refused"
  | "starts nothing"
  | "signalled in time"
  | "no loss without a reason"
  | "kept by the thread"
  | "one end, the right one"
  | "nothing left"
  | "every version reads it"
  | "all settle"
  | "recovers in time"
  | "one outcome a tick"
  | "no attempt lost"
  | "a cancel names its author"
  | "no run during a hold"
  | "the log is honest"
  | "no error"
  | "exits by itself";

/** The longest delay of a signal after the end of its lease, in ms, while the event loop is free. */
export const SIGNALLED_WITHIN = 50;

/**
 * How long the heartbeat may need, beyond a third of the time to live, to ask whether a lock is there and get
 * the answer, in ms.
 */
export const ASKED_WITHIN = 200;
