import { ChannelError } from "../../channel/errors.js";
import { isSignal } from "../../util/abort/abort.js";
import type { AcquireOptions } from "../types.js";

const HOUR = 3_600_000;

/** Checks the options of an acquisition. Returns its timeout. */
export function checkedTimeout(name: string, options: AcquireOptions): number {
  if (typeof name !== "string" || name === "") {
    throw new ChannelError("INVALID_ARGUMENT", "the name of a lock must be a text that is not empty");
  }
  const { wait = 0, signal } = options;
  if (!(wait >= 0)) throw new ChannelError("INVALID_ARGUMENT", `wait must be a number of ms, 0 or more, not ${wait}`);
  if (signal !== undefined && !isSignal(signal)) {
    throw new ChannelError("INVALID_ARGUMENT", "signal must be an AbortSignal");
  }
  return positive("timeout", options.timeout ?? HOUR);
}

/** A number of ms above 0. */
export function positive(what: string, ms: number): number {
  if (typeof ms === "number" && ms > 0 && Number.isFinite(ms)) return ms;
  throw new ChannelError("INVALID_ARGUMENT", `${what} must be a number of ms above 0, not ${String(ms)}`);
}
