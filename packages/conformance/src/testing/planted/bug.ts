import type { Parts } from "../simulated/harness.js";

/** A backend that is wrong in one way, and the case that must find it. */
export interface Bug extends Parts {
  /** What it does wrong. */
  readonly name: string;
  /** The case that must find it. Other cases may find it, too. */
  readonly killedBy: string;
}
