import { ChannelError } from "../../channel/errors.js";
import { isSignal } from "../../util/abort/abort.js";
import { ABOVE_ZERO, checkedDuration, type InMs } from "../../util/duration.js";
import type { AcquireOptions } from "../types.js";

const HOUR = 3_600_000;

/** The options of an acquisition in ms. */
export interface CheckedAcquire extends InMs<AcquireOptions> {
  readonly timeout: number;
  readonly wait: number;
}

/** Checks the options of an acquisition, and fills in the defaults. */
export function checkedOptions(name: string, options: AcquireOptions): CheckedAcquire {
  if (typeof name !== "string" || name === "") {
    refuse("the name of a lock must be a text that is not empty");
  }
  const { signal, note } = options;
  const wait = checkedDuration("wait", options.wait ?? 0, refuse, 0, Number.POSITIVE_INFINITY);
  if (signal !== undefined && !isSignal(signal)) {
    refuse("signal must be an AbortSignal");
  }
  const timeout = checkedDuration("timeout", options.timeout ?? HOUR, refuse, ABOVE_ZERO);
  return { timeout, wait, ...(signal && { signal }), ...(note !== undefined && { note }) };
}

/** Refuses an argument of a call about locks. */
export function refuse(message: string): never {
  throw new ChannelError("INVALID_ARGUMENT", message);
}
