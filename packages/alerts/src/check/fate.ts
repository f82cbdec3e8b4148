import type { RunRecord } from "@ojm/core";
import { isRetryPolicy, startAfter } from "@ojm/core/internal";
import { chainOf, type Records } from "./records.js";

/** How long after its due time a retry that has not started counts as abandoned, in ms. */
const OVERDUE = 600_000;

/** How many later runs are searched for the next attempt. */
const MOST_LATER = 200;

/**
 * What follows a run that ended in error: it was the `last` attempt, the next one `waits`, or a later attempt
 * `followed` it. Only the last attempt of a retry series is reported.
 */
type Fate = "last" | "waits" | "followed";

export async function fateOf(record: RunRecord, records: Records, now: number): Promise<Fate> {
  const { name, startTime, attempt, retry, status } = record;
  if (retry === undefined || attempt === undefined || attempt >= retry.attempts) return "last";
  if (status === "lost" && !retry.onLost) return "last";
  const chain = chainOf(record);
  // Read the pending retries first: the start of an attempt deletes its pending entry, so if no entry is
  // left, the attempt is already visible in the history.
  const next = (await records.manager.retries(name)).find((each) => each.chain === chain && each.attempt > attempt);
  if (next !== undefined) return now - next.due > OVERDUE ? "last" : "waits";
  const range = { name, from: startAfter(startTime), limit: MOST_LATER };
  for await (const later of records.manager.history(range))
    if ((later.attempt ?? 1) > attempt && chainOf(later) === chain) return "followed";
  // The pending attempts with the backoff of a later version of ojm are not listed.
  const { endTime = startTime } = record;
  const isComing = now - endTime <= retry.maxDelay + OVERDUE;
  return isComing && !isRetryPolicy(retry) ? "waits" : "last";
}
