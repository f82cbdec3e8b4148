import { isLockError } from "../../locks/errors.js";
import type { Locks } from "../../locks/locks.js";
import type { HeldLock } from "../../locks/types.js";
import type { Clock } from "../../util/clock.js";
import { isTime } from "../../util/shape.js";
import { RunError } from "../errors.js";
import type { HoldOptions } from "../types.js";
import { checkRequest, refusing } from "./check-request.js";

const DAY = 86_400_000;
const OPTIONS = ["reason", "author", "until", "wait", "signal"];

/** Takes the lock of a name for a person. Resolves once it is held. */
export async function holdName(
  { locks, clock }: { readonly locks: Locks; readonly clock: Clock },
  name: string,
  options: HoldOptions,
): Promise<HeldLock> {
  const at = clock.now();
  const wait = checkHold(name, options, at);
  const { reason, author, until = at + DAY, signal } = options;
  const hold = { reason, at, until, ...(author !== undefined && { author }) };
  try {
    const lease = await locks.acquire(name, { wait, ...(signal && { signal }) });
    const lock = await locks.operator.hold(lease, hold);
    if (lock !== undefined) return lock;
  } catch (error) {
    if (!isLockError(error)) throw error;
    const text = `"${name}" cannot be held: ${error.message}`;
    throw new RunError("LOCKED", name, text, { ...(error.held && { held: error.held }) });
  }
  throw new RunError("LOST", name, `"${name}" is not held: its lock was taken away at the same moment`);
}

function checkHold(name: string, options: HoldOptions, now: number): number {
  const wait = checkRequest("a hold", name, options, { known: OPTIONS, wait: 0 });
  const refuse = refusing(name);
  const { until } = options;
  if (until !== undefined && !(isTime(until) && until > now)) {
    const past = isTime(until) ? `${new Date(until).toISOString()}, which is over` : String(until);
    refuse(`until must be a time in the future, in ms since 1970, not ${past}`);
  }
  return wait;
}
