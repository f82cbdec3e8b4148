import { type HeldLock, type JsonValue, runId } from "@ojm/core";
import { countTicks } from "../calendar/search.js";
import type { Window } from "../definition/blackout.js";
import { calendarIn, calendarOf } from "../definition/calendar.js";
import type { Calendar } from "../definition/types.js";
import type { Cursor, Pause, TickOutcome, TickReason, TickValue } from "../store/schema.js";

/** The ticks of a range are counted up to this number. */
const MOST_COUNTED = 10_000;

/** The outcome of a tick or a range of ticks, before it is known who writes it, and when. */
export interface Decided {
  readonly at: number;
  readonly value: Omit<TickValue, "by" | "decided" | "revision">;
}

/** A cursor and the outcomes of the ticks before it. */
export interface Moved {
  readonly cursor: Cursor;
  readonly ticks: readonly Decided[];
}

/** Why ticks are not run. */
export interface Why {
  readonly outcome: Exclude<TickOutcome, "run">;
  readonly reason: TickReason;
  readonly evidence?: { readonly [field: string]: JsonValue };
}

/** The outcome of one tick. */
export function one(at: number, why: Why): Decided {
  return { at, value: why };
}

/** The outcome of all ticks from the tick `first` up to the tick `last`. */
export function range(of: Calendar, first: number, last: number, why: Why): Decided {
  if (first === last) return one(first, why);
  const calendar = calendarIn(of);
  const before = countTicks(calendarOf(calendar), first, last, MOST_COUNTED);
  if (before < MOST_COUNTED) return { at: first, value: { ...why, until: last, count: before + 1, calendar } };
  return { at: first, value: { ...why, until: last, count: before, more: true, calendar } };
}

/** Joins the outcomes of ticks that follow each other and are not run for the same reason. */
export function inRanges(of: Calendar, ticks: readonly { readonly at: number; readonly value: Why }[]): Decided[] {
  const ranges: { first: number; last: number; readonly value: Why }[] = [];
  for (const { at, value } of ticks) {
    const before = ranges.at(-1);
    const goesOn = before !== undefined && JSON.stringify(before.value) === JSON.stringify(value);
    if (goesOn && calendarOf(of).next(before.last) === at) before.last = at;
    else ranges.push({ first: at, last: at, value });
  }
  return ranges.map(({ first, last, value }) => range(of, first, last, value));
}

/** The cursor moved on to `at`, with the ticks that wait. */
export function cursorAt({ ahead }: Cursor, at: number, waiting: readonly number[] = []): Cursor {
  const moved = waiting.length === 0 ? { at } : { at, waiting };
  const isBehind = ahead !== undefined && Math.min(at, ...waiting) < ahead;
  return isBehind ? { ...moved, ahead } : moved;
}

/** The job ran, or ticks waited for it. */
export function overlap(evidence: Why["evidence"]): Why {
  return evidence === undefined
    ? { outcome: "skipped", reason: "overlap" }
    : { outcome: "skipped", reason: "overlap", evidence };
}

/** What a lock tells of its holder. */
export function heldEvidence(held: HeldLock | undefined): Why["evidence"] {
  if (held === undefined) return undefined;
  const { name, holder, since, fence, note } = held;
  const { hold, run: startTime } = (note ?? {}) as { readonly hold?: JsonValue; readonly run?: unknown };
  const run = typeof startTime === "number" ? { run: runId({ name, startTime }) } : {};
  const evidence = { holder: { ...holder }, since, fence, ...run };
  // Somebody holds the job for maintenance: the hold has the reason.
  return hold === undefined ? evidence : { ...evidence, hold };
}

export function pausedWhy({ reason, by, at, until }: Pause): Why {
  const evidence = { reason, by, at, ...(until === undefined ? {} : { until }) };
  return { outcome: "skipped", reason: "paused", evidence };
}

export function blackoutWhy({ from, to, reason }: Window): Why {
  const evidence = { from, to, ...(reason === undefined ? {} : { reason }) };
  return { outcome: "skipped", reason: "blackout", evidence };
}
