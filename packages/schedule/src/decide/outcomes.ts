import type { HeldLock, JsonValue } from "@ojm/core";
import { present, runIdOf, visible } from "@ojm/core/internal";
import { countTicks, MOST_COUNTED } from "../calendar/schedule.js";
import type { Window } from "../definition/blackout.js";
import { calendarIn, calendarOf } from "../definition/calendar.js";
import type { Calendar } from "../definition/types.js";
import type { Cursor, Pause, TickOutcome, TickReason, TickValue } from "../store/schema.js";

/** The outcome of a tick or a range of ticks, before its author and time are known. */
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
    const continues = before !== undefined && JSON.stringify(before.value) === JSON.stringify(value);
    if (continues && calendarOf(of).next(before.last) === at) before.last = at;
    else ranges.push({ first: at, last: at, value });
  }
  return ranges.map(({ first, last, value }) => range(of, first, last, value));
}

/** The cursor moved on to `at`, with the waiting ticks. Unknown fields stay. */
export function cursorAt({ ahead, waiting: _, ...rest }: Cursor, at: number, waiting: readonly number[] = []): Cursor {
  const moved = waiting.length === 0 ? { ...rest, at } : { ...rest, at, waiting };
  // The tick `ahead` has an outcome too, which a claim may find only as the end of a range.
  const isBehind = ahead !== undefined && (at < ahead || waiting.some((tick) => tick <= ahead));
  return isBehind ? { ...moved, ahead } : moved;
}

/** The job was running, or ticks waited for it. */
export function overlap(evidence: Why["evidence"]): Why {
  return { outcome: "skipped", reason: "overlap", ...present({ evidence }) };
}

/** The holder of a lock, as evidence. */
export function heldEvidence(held: HeldLock | undefined): Why["evidence"] {
  if (held === undefined) return undefined;
  const { holder, since, fence, note } = held;
  const { hold } = (note ?? {}) as { readonly hold?: JsonValue };
  const run = runIdOf(held);
  // If a person holds the job for maintenance, the hold has the reason.
  return { holder: { ...holder }, since, fence, ...present({ run, hold }) };
}

export function pausedWhy({ reason, by, at, until }: Pause): Why {
  return { outcome: "skipped", reason: "paused", evidence: { reason, by, at, ...present({ until }) } };
}

export function blackoutWhy({ from, to, reason }: Window): Why {
  return { outcome: "skipped", reason: "blackout", evidence: { from, to, ...present({ reason }) } };
}

/** The texts of the reasons, for ticks without evidence. */
const WORDS: Readonly<Record<TickReason, string>> = {
  paused: "the schedule was paused",
  blackout: "it fell into a blackout",
  overlap: "the job was running, or its lock was held",
  "queue-full": "too many ticks waited",
  replaced: "a newer tick replaced it",
  policy: "no process was there, or it did not reach the store, and missed ticks are not run",
  "too-late": "no process was there, or it did not reach the store, until it was too late",
  "not-latest": "no process was there, or it did not reach the store, and only the newest of the missed ticks is run",
  "too-many": "no process was there, or it did not reach the store, and too many ticks were missed",
  "no-scheduler": "no process was there, or it did not reach the store",
  imported: "the schedule was brought here from another store, which may have run it",
  unreadable: "its definition was replaced by a version of ojm that did not know all its options",
  removed: "the schedule was removed",
  invalid: "its options are not valid",
  "not-recorded": "its record could not be written",
};

type Evidence = Readonly<Record<string, unknown>>;

/**
 * Why a tick was not run, in words that are safe to show on a terminal, with the evidence of the reason: the
 * active run, the person who paused the schedule. `undefined` for a tick that was run.
 *
 * @example
 * for await (const tick of scheduler.ticks("report", { limit: 10 })) {
 *   console.log(new Date(tick.at), tick.outcome, whyNotRun(tick) ?? tick.run);
 * }
 */
export function whyNotRun({ reason, evidence = {} }: Pick<TickValue, "reason" | "evidence">): string | undefined {
  if (reason === undefined) return undefined;
  // A later version of ojm may know more reasons.
  if (!Object.hasOwn(WORDS, reason)) return visible(reason);
  return visible(EVIDENCE_TEXTS[reason]?.(evidence) ?? WORDS[reason]);
}

/**
 * The outcome of a tick before a backfill ran it, in words: it must be visible that it ran long after its
 * time. `undefined` for a tick that no backfill ran.
 *
 * @example
 * for await (const tick of scheduler.ticks("report", { limit: 10 })) {
 *   console.log(new Date(tick.at), tick.outcome, whyNotRun(tick) ?? whyBackfilled(tick));
 * }
 */
export function whyBackfilled({
  outcome,
  evidence = {},
}: Pick<TickValue, "evidence"> & { readonly outcome: string }): string | undefined {
  if (outcome !== "run" || evidence["backfill"] === undefined) return undefined;
  const { outcome: was, reason } = (evidence["before"] ?? {}) as Evidence;
  const by = "run later, by a backfill";
  if (was === "run") return `${by}: it had been run before`;
  if (!textOf(was)) return by;
  const why = textOf(reason) ? whyNotRun({ reason: reason as TickReason }) : undefined;
  return visible(`${by}: it was ${was}${why === undefined ? "" : `, as ${why}`}`);
}

/** The evidence of a reason in words; `undefined` if it adds nothing to the reason. */
const EVIDENCE_TEXTS: Readonly<Partial<Record<TickReason, (evidence: Evidence) => string | undefined>>> = {
  paused: ({ by, reason }) => textOf(by) && `the schedule was paused by ${by}${after(reason)}`,
  blackout: ({ reason }) => textOf(reason) && `it fell into a blackout: ${reason}`,
  overlap: overlapOf,
  "queue-full": ({ waiting }) => (typeof waiting === "number" ? `too many ticks waited: ${waiting}` : undefined),
  replaced: ({ by }) => (isTime(by) ? `the newer tick of ${new Date(by).toISOString()} replaced it` : undefined),
  invalid: ({ error }) => textOf(error) && `its options are not valid: ${error}`,
};

function overlapOf({ run, hold, holder, since, waiting }: Evidence): string | undefined {
  const { author, reason } = (hold ?? {}) as Evidence;
  if (hold !== undefined) return `the job was held${textOf(author) ? ` by ${author}` : ""}${after(reason)}`;
  if (typeof waiting === "number") return `${waiting === 1 ? "an earlier tick" : `${waiting} earlier ticks`} waited`;
  const { host, pid } = (holder ?? {}) as Evidence;
  if (!textOf(host)) return undefined;
  const on = `on ${host}${typeof pid === "number" ? `, pid ${pid}` : ""}`;
  if (textOf(run)) return `the job was running, as ${run} ${on}`;
  return `its lock was held ${on}${isTime(since) ? `, since ${new Date(since).toISOString()}` : ""}`;
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** A reason at the end of a sentence. Another program may have written something else. */
const after = (reason: unknown): string => (textOf(reason) ? `: ${reason}` : "");

const isTime = (value: unknown): value is number => typeof value === "number" && Math.abs(value) <= 8.64e15;
