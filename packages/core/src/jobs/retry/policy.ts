import { unknownOption } from "../../channel/backend/config.js";
import { checkedDuration } from "../../util/duration.js";
import { fieldsOf, isCount, isId, isMap, isSpan } from "../../util/shape.js";
import { refusing } from "../errors.js";
import type { RetryOptions, RetryPolicy, RunRecord, RunStatus } from "../types.js";

const RETRY_OPTIONS = ["attempts", "delay", "backoff", "maxDelay", "onLost"];
const MOST_ATTEMPTS = 100;
const HOUR = 3_600_000;

/** The longest delay, in ms: seven days. */
const LONGEST_DELAY = 7 * 24 * HOUR;

/**
 * Checks the options of a retry, and fills in the defaults.
 *
 * @throws RunError `INVALID`
 */
export function checkRetry(name: string, options: RetryOptions): RetryPolicy {
  const refuse = refusing(name);
  if (!isMap(options))
    return refuse(`retry of "${name}" must be a map such as { attempts: 3 }, not ${String(options)}`);
  const problem = unknownOption(`retry of "${name}"`, options, RETRY_OPTIONS);
  if (problem !== undefined) refuse(problem);
  const { attempts, backoff = "exponential", onLost = false } = options;
  if (attempts === undefined) refuse(`retry of "${name}" must have attempts: how often it is tried, in all`);
  if (!isCount(attempts) || attempts < 1 || attempts > MOST_ATTEMPTS) {
    refuse(`attempts of "${name}" must be a whole number from 1 to ${MOST_ATTEMPTS}, not ${String(attempts)}`);
  }
  const delay = checkedDuration(`delay of "${name}"`, options.delay ?? 60_000, refuse, 0, LONGEST_DELAY);
  const maxDelay = checkedDuration(`maxDelay of "${name}"`, options.maxDelay ?? HOUR, refuse, 0, LONGEST_DELAY);
  if (backoff !== "fixed" && backoff !== "exponential") {
    refuse(`backoff of "${name}" must be "fixed" or "exponential", not ${JSON.stringify(backoff)}`);
  }
  if (typeof onLost !== "boolean") refuse(`onLost of "${name}" must be true or false`);
  return { attempts, delay, backoff, maxDelay, onLost };
}

/** Whether a value is a policy that {@link checkRetry} made. */
export function isPolicy(value: unknown): value is RetryPolicy {
  return hasPolicyFields(value) && (value.backoff === "fixed" || value.backoff === "exponential");
}

/** Whether a value is a policy, perhaps with the backoff of a later version of ojm. */
export function hasPolicyFields(value: unknown): value is RetryPolicy {
  const { attempts, delay, backoff, maxDelay, onLost } = fieldsOf<RetryPolicy>(value) ?? {};
  return isCount(attempts) && isSpan(delay) && isId(backoff) && isSpan(maxDelay) && typeof onLost === "boolean";
}

/**
 * The time between the end of an attempt and the next one, in ms. `attempt`: the one that failed, from 1.
 *
 * With an unknown backoff, it is `delay`. This process then only writes the attempt: see {@link isPending}.
 */
export function delayAfter({ delay, backoff, maxDelay }: RetryPolicy, attempt: number): number {
  const factor = backoff === "exponential" ? 2 ** Math.min(attempt - 1, 50) : 1;
  return Math.min(delay * factor, maxDelay);
}

/** Whether another attempt follows: its {@link RetryOptions} retry such an end, and allow one more. */
export function isTriedAgain({ status, retry, attempt = 1 }: Pick<RunRecord, "status" | "retry" | "attempt">): boolean {
  return retry !== undefined && isRetried(retry, attempt, status);
}

/** Whether a run that ended like this is retried. */
export function isRetried(policy: RetryPolicy, attempt: number, status: RunStatus): boolean {
  if (attempt >= policy.attempts) return false;
  return status === "failed" || status === "timeout" || (status === "lost" && policy.onLost);
}
