import type { Injected } from "../faults/fault.js";
import type { Stock } from "../scene/events.js";
import type { Scene } from "../scene/scene.js";
import type { Closing } from "./record-watch.js";
import type { ObservedRun } from "./run-of.js";

/** What a cell is judged by. */
export interface Evidence {
  readonly scene: Scene;
  readonly runs: readonly ObservedRun[];
  readonly injected: Injected | undefined;
  readonly stock: Stock | undefined;
  /** How each record was closed, as seen by somebody who watched the records. */
  readonly closings: ReadonlyMap<string, readonly Closing[]>;
}

/** What was found wrong, and when it showed. */
export interface Violation {
  readonly law: Law;
  readonly text: string;
  readonly t?: number;
}

/** What must hold, by the names under which a violation is told. */
export type Law =
  | "one holder"
  | "fences increase"
  | "older fence refused"
  | "told in time"
  | "no loss without a reason"
  | "kept by the thread"
  | "one end, the right one"
  | "nothing left"
  | "all settle"
  | "recovers in time"
  | "no error"
  | "exits by itself";

/** The longest that a signal may come after the end of the lease, in ms, while the event loop is free. */
export const TOLD_WITHIN = 50;

/**
 * What may pass, beyond a third of the time to live, until the heartbeat has asked whether a lock is there
 * and was answered, in ms.
 */
export const ASKED_WITHIN = 200;
