import { isLockError } from "../../locks/errors.js";
import type { Locks } from "../../locks/locks.js";
import type { HeldLock } from "../../locks/types.js";
import type { Clock } from "../../util/clock.js";
import { isTime } from "../../util/shape.js";
import { RunError } from "../errors.js";
import { isMap } from "../options.js";
import type { HoldOptions } from "../types.js";

const DAY = 86_400_000;
const LONGEST_TEXT = 1_000;

/** Takes the lock of a name for a person. Resolves once it is held. */
export async function holdName(
  { locks, clock }: { readonly locks: Locks; readonly clock: Clock },
  name: string,
  options: HoldOptions,
): Promise<HeldLock> {
  const at = clock.now();
  const { reason, author, until = at + DAY, wait = 0, signal } = checkHoldOptions(name, options, at);
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

function checkHoldOptions(name: string, options: HoldOptions, now: number): HoldOptions {
  const refuse = (what: string): never => {
    throw new RunError("INVALID", String(name), what);
  };
  const { reason, author, until } = (isMap(options) ? options : {}) as Partial<HoldOptions>;
  if (typeof reason !== "string" || reason === "" || reason.length > LONGEST_TEXT) {
    refuse(`a hold needs a reason, a text of at most ${LONGEST_TEXT} characters`);
  }
  if (author !== undefined && (typeof author !== "string" || author.length > LONGEST_TEXT)) {
    refuse(`author must be a text of at most ${LONGEST_TEXT} characters`);
  }
  if (until !== undefined && !(isTime(until) && until > now)) {
    refuse(`until must be a time in the future, in ms since 1970, not ${String(until)}`);
  }
  return options;
}
