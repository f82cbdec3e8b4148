import type { RunRecord } from "@ojm/core";
import { chainOf, follows } from "./chain.js";
import type { Records } from "./records.js";

/** How long after its due time a retry that has not started counts as abandoned, in ms. */
const OVERDUE = 600_000;

/**
 * What follows a run that ended in error: it was the `last` attempt, the next one `waits`, or a later attempt
 * `followed` it. Only the last attempt of a retry series is reported.
 */
export type Fate = "last" | "waits" | "followed";

export async function fateOf(record: RunRecord, records: Records, now: number): Promise<Fate> {
  const { attempt, retry, status } = record;
  if (retry === undefined || attempt === undefined || attempt >= retry.attempts) return "last";
  if (status === "lost" && !retry.onLost) return "last";
  // Read the pending retries first: the start of an attempt deletes its pending entry, so if no entry is
  // left, the attempt is already visible in the history.
  const next = (await records.retries(record)).find((each) => each.chain === chainOf(record) && each.attempt > attempt);
  if (next !== undefined) return now - next.due > OVERDUE ? "last" : "waits";
  for await (const later of records.after(record)) if (follows(later, record)) return "followed";
  return "last";
}
