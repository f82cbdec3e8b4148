import type { Parts } from "../simulated/harness.js";

/** A backend that is wrong in one way, and the case that must find it out. */
export interface Bug extends Parts {
  /** What it does wrong. */
  readonly name: string;
  /** The case that kills it. Others may, too. */
  readonly killedBy: string;
}
