import type { RetryPolicy } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { delayAfter } from "@ojm/core/internal";
import type { Log } from "../../output/log.js";
import { JobError, SkippedJob } from "../runtime/job-error.js";

/** Whether another attempt follows one that failed like this. `attempt`: its number, from 1. */
export function isTriedAgain(error: unknown, attempt: number, { attempts, onLost }: RetryPolicy): boolean {
  if (attempt >= attempts || !(error instanceof JobError) || error instanceof SkippedJob) return false;
  // With ENDED, its code ran, and another program closed its record.
  if (error.code === "CANCELLED" || error.code === "ENDED") return false;
  return error.code !== "LOST" || onLost;
}

/** Tells the log that a job is tried again, and when. */
export function tellAttempt(log: Log, job: string, attempt: number, policy: RetryPolicy): void {
  const wait = durationText(delayAfter(policy, attempt));
  log.line("WARN", `"${job}" failed at attempt ${attempt} of ${policy.attempts}, and is tried again in ${wait}`, job);
}
