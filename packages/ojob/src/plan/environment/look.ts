import type { Problems } from "../../text/problem.js";

/** How the environment of a job file is looked at. */
export interface Look {
  readonly problems: Problems;
  /**
   * Whether the file is about to run, so that each secret and each variable must be there. Otherwise `found`
   * takes those that are there, and `named` leaves the values of secrets alone: a check may run on another
   * machine.
   */
  readonly values: "needed" | "found" | "named";
}
