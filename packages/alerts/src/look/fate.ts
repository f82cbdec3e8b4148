import type { RunRecord } from "@ojm/core";
import { chainOf, follows } from "./chain.js";
import type { Records } from "./records.js";

/** How long after it was due an attempt counts as one that nobody makes, in ms. */
const OVERDUE = 600_000;

/**
 * What comes after a run that ended in error: it was the `last` attempt, the next one `waits`, or it was
 * `followed` by one. Only the last attempt of a chain is told.
 */
export type Fate = "last" | "waits" | "followed";

export async function fateOf(record: RunRecord, records: Records, now: number): Promise<Fate> {
  const { attempt, retry, status } = record;
  if (retry === undefined || attempt === undefined || attempt >= retry.attempts) return "last";
  if (status === "lost" && !retry.onLost) return "last";
  // First what waits: a start deletes it, so if nothing waits, the next attempt can be seen after that.
  const next = (await records.retries(record)).find((each) => each.chain === chainOf(record) && each.attempt > attempt);
  if (next !== undefined) return now - next.due > OVERDUE ? "last" : "waits";
  for await (const later of records.after(record)) if (follows(later, record)) return "followed";
  return "last";
}
