import { durationOf, durationProblem, nearest, visible } from "@ojm/core/internal";
import { show } from "./show.js";

const OPTIONS = ["attempts", "delay", "backoff", "maxDelay", "onLost", "keepLock"];
const MOST_ATTEMPTS = 100;

/** The longest delay, in ms: seven days. */
const LONGEST = 7 * 86_400_000;

/** Why a retry cannot be used, in words. The manager checks it too, but only when a tick is due. */
export function retryProblem(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is a map such as { attempts: 3 }";
  const unknown = Object.keys(value).find((option) => !OPTIONS.includes(option));
  if (unknown !== undefined) {
    const near = nearest(unknown, OPTIONS);
    return `it has no "${visible(unknown)}".${near === undefined ? "" : ` Did you mean "${near}"?`} It has: ${OPTIONS.join(", ")}`;
  }
  const { attempts, delay = 0, maxDelay = 0, backoff = "fixed" } = value as Record<string, unknown>;
  if (attempts === undefined) return '"attempts" is missing: how often it is tried, in all';
  if (!Number.isInteger(attempts) || Number(attempts) < 1 || Number(attempts) > MOST_ATTEMPTS) {
    return `"attempts" is a whole number from 1 to ${MOST_ATTEMPTS}, not ${show(attempts)}`;
  }
  for (const [option, ms] of Object.entries({ delay, maxDelay })) {
    if (durationOf(ms, 0, LONGEST) === undefined) return durationProblem(`"${option}"`, ms, 0, LONGEST);
  }
  if (backoff !== "fixed" && backoff !== "exponential") return '"backoff" is "fixed" or "exponential"';
  const { onLost = false, keepLock = false } = value as Record<string, unknown>;
  if (typeof onLost !== "boolean") return '"onLost" is true or false';
  return typeof keepLock === "boolean" ? undefined : '"keepLock" is true or false';
}
