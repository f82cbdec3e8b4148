import type { AuditEntry } from "@ojm/core";
import type { SayTime } from "../../../output/times.js";

/** That somebody asked a run to stop. */
export interface StopAsked extends Pick<AuditEntry, "at" | "by" | "author" | "reason"> {}

/** What is told of the request; nothing if nobody asked. */
export function askedField(entry: AuditEntry | undefined): { readonly asked?: StopAsked } {
  if (entry === undefined) return {};
  const { at, by, author, reason } = entry;
  return { asked: { at, by, ...(author !== undefined && { author }), ...(reason !== undefined && { reason }) } };
}

/** The request in words. */
export function sayAsked(asked: StopAsked, say: SayTime): string {
  return `${say(asked.at)}, ${sayAsker(asked)}`;
}

/** Who asked, and why. */
export function sayAsker({ by, author, reason }: Omit<StopAsked, "at">): string {
  const who = author ?? `${by.host}, pid ${by.pid}`;
  return `by ${who}${reason === undefined ? "" : `: ${reason}`}`;
}
