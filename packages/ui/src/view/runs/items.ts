import type { AuditEntry, Holder, RunRecord, RunRef, Waiter } from "@ojm/core";
import type { LiveRuns } from "@ojm/core/internal";
import { recordAt } from "@ojm/core/internal";
import type { Retry } from "@ojm/schedule/operator";
import type { RetryView, RunItem, StopRequest } from "../../contract/types.js";
import { pick, type Source } from "../source.js";

/** The most characters of an error in a list, and of the reason of a request to stop. */
const ERROR = 300;
const REASON = 300;

/** How many waiters of a lock are listed. */
const WAITERS = 3;

/** The record of a run. */
export const recordOf = ({ manager }: Source, run: RunRef): Promise<RunRecord | undefined> => recordAt(manager, run);

/** A run in a list. */
export function itemOf(record: RunRecord, { mask }: Pick<Source, "mask">): RunItem {
  const { trigger, holder, error } = record;
  return {
    ...pick(record, "id", "name", "status", "startTime", "endTime", "duration", "attempt", "tick"),
    trigger: mask(String(trigger)),
    holder: holderOf(holder),
    // Mask before cutting: the mask would not recognise half a password.
    ...(error !== undefined && { error: shorten(mask(error), ERROR) }),
  };
}

/** A request to stop a run. */
export function stopRequestOf({ at, by, author, reason }: AuditEntry, mask: Source["mask"]): StopRequest {
  return {
    at,
    by: holderOf(by),
    ...(author !== undefined && { author: mask(author) }),
    ...(reason !== undefined && { reason: shorten(mask(reason), REASON) }),
  };
}

/** The fields of the contract. */
export const holderOf = (holder: Holder): Holder => pick(holder, "host", "pid", "instance");

/** The first waiters for the lock of a job: enough to see which is next. */
export function firstWaiters(live: LiveRuns, name: string): Waiter[] {
  return live.waiters(name, { limit: WAITERS });
}

/** At most `most` characters of a text. */
export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** A pending attempt, in the form of the contract. */
export function retryOf({ name, chain, attempt, retry, due, error, orphaned }: Retry, mask: Source["mask"]): RetryView {
  return {
    ...{ name, chain, attempt, attempts: retry.attempts, due },
    ...(orphaned && { orphaned }),
    // Mask before cutting: the mask would not recognise half a password.
    ...(error !== undefined && { error: shorten(mask(error), ERROR) }),
  };
}
