import type { Args } from "../../load/job-file.js";
import { applyChecks, type Check, type Checking } from "../../plan/argument-checks/checks.js";
import type { Position } from "../../text/problem.js";
import { JobError } from "../runtime/job-error.js";

/**
 * The arguments of a job after its checks: defaults are filled in and values converted.
 *
 * @throws JobError that names the argument and what is wrong with it
 */
export function checkedArgs(checks: readonly Check[], args: Args, checking: Checking, at: Position): Args {
  try {
    return applyChecks(checks, args, checking);
  } catch (error) {
    throw new JobError((error as Error).message, { at });
  }
}

/** What a step hands on. Its own arguments are removed, and the arguments that they hid come back. */
export function withoutOwn(result: Args, own: Args, before: Args): Args {
  const kept = Object.entries(result).filter(([name]) => !Object.hasOwn(own, name));
  const hidden = Object.entries(before).filter(([name]) => Object.hasOwn(own, name));
  return Object.fromEntries([...kept, ...hidden]);
}
