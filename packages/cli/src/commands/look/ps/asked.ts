import type { AuditEntry, JobManager, RunRecord } from "@ojm/core";
import type { SayTime } from "../../../output/times.js";

/** That somebody asked a run to stop which goes on. */
export interface StopAsked extends Pick<AuditEntry, "at" | "by" | "author" | "reason"> {}

/** Who asked a run to stop, last; `undefined` if nobody did. */
export async function askedToStop(manager: JobManager, run: RunRecord): Promise<StopAsked | undefined> {
  const asked = await manager.stopAsked(run);
  if (asked === undefined) return undefined;
  const { at, by, author, reason } = asked;
  return { at, by, ...(author !== undefined && { author }), ...(reason !== undefined && { reason }) };
}

/** The request in words. */
export function sayAsked({ at, by, author, reason }: StopAsked, say: SayTime): string {
  const who = author ?? `${by.host}, pid ${by.pid}`;
  return `${say(at)}, by ${who}${reason === undefined ? "" : `: ${reason}`}`;
}
