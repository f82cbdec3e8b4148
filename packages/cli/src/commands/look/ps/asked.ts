import type { AuditEntry, JobManager, RunRecord } from "@ojm/core";
import type { SayTime } from "../../../output/times.js";

/** By how much the clock of the one who asks may be behind that of the run, in ms. */
const SKEW = 3_600_000;

/** That somebody asked a run to stop. */
export interface StopAsked extends Pick<AuditEntry, "at" | "by" | "author" | "reason"> {}

/**
 * Who asked a run that goes on to stop, last; `undefined` if nobody did. From the audit: the request itself
 * is gone once the process of the run has it, whether or not its body obeys.
 */
export async function askedToStop(
  manager: JobManager,
  { id, name, startTime }: Pick<RunRecord, "id" | "name" | "startTime">,
): Promise<StopAsked | undefined> {
  for await (const { action, run, at, by, author, reason } of manager.audit({ name })) {
    if (at < startTime - SKEW) return undefined;
    if (action !== "cancel" || run !== id) continue;
    return { at, by, ...(author !== undefined && { author }), ...(reason !== undefined && { reason }) };
  }
  return undefined;
}

/** The request in words. */
export function sayAsked({ at, by, author, reason }: StopAsked, say: SayTime): string {
  const who = author ?? `${by.host}, pid ${by.pid}`;
  return `${say(at)}, by ${who}${reason === undefined ? "" : `: ${reason}`}`;
}
