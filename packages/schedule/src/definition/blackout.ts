import { durationOf, durationProblem, present, visible } from "@ojm/core/internal";
import { cronSchedule } from "../calendar/cron.js";
import { calendarOf } from "./calendar.js";
import type { CheckedBlackout, CheckedDefinition } from "./types.js";

/** The longest window that repeats, in ms: a week. */
const LONGEST_WINDOW = 7 * 86_400_000;

/** A window that contains an instant. */
export interface Window {
  readonly from: number;
  readonly to: number;
  readonly reason?: string;
}

/** The first window that contains `at`; `undefined` if there is none. */
export function windowAt(blackout: CheckedDefinition["blackout"], at: number): Window | undefined {
  for (const one of [blackout ?? []].flat()) {
    const window = "cron" in one ? repeated(one, at) : { from: instant(one.from), to: instant(one.to) };
    if (window === undefined || at < window.from || at >= window.to) continue;
    return one.reason === undefined ? window : { ...window, reason: one.reason };
  }
  return undefined;
}

function repeated(one: Extract<CheckedBlackout, { cron: string }>, at: number): Window | undefined {
  const { cron, timeZone } = one;
  const from = calendarOf(present({ cron, timeZone })).next(at - one.duration);
  return from <= at ? { from, to: from + one.duration } : undefined;
}

/** Why a window cannot be used, in words. */
export function blackoutProblem(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "a window is a map with from and to, or cron and duration";
  const { from, to, cron, duration, timeZone, reason, ...rest } = value as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    return `a window has no "${visible(unknown)}": it has from and to, or cron, duration and timeZone`;
  if (reason !== undefined && typeof reason !== "string") return '"reason" is a text';
  if (cron === undefined) return onceProblem(from, to);
  if (from !== undefined || to !== undefined) return "a window has either from and to, or cron and duration";
  if (typeof cron !== "string") return '"cron" is a text';
  if (!Number.isSafeInteger(durationOf(duration, 1, LONGEST_WINDOW)))
    return durationProblem('"duration"', duration, 1, LONGEST_WINDOW);
  if (timeZone !== undefined && (typeof timeZone !== "string" || timeZone === "local")) {
    return '"timeZone" is a name of the IANA list';
  }
  try {
    cronSchedule(cron, timeZone);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function onceProblem(from: unknown, to: unknown): string | undefined {
  for (const [name, time] of Object.entries({ from, to })) {
    if ((typeof time !== "string" && typeof time !== "number") || Number.isNaN(instant(time))) {
      return `"${name}" of a window is a time: ISO 8601 with its offset, as "2026-12-24T00:00Z", or ms since 1970`;
    }
  }
  return instant(from as string) < instant(to as string) ? undefined : '"from" of a window is before its "to"';
}

/** The offset is required: a time without it is in the zone of the machine, and could differ by process. */
const WITH_OFFSET = /(Z|[+-]\d\d:?\d\d)$/;

function instant(time: string | number): number {
  if (typeof time === "number") return Number.isFinite(time) ? time : Number.NaN;
  return WITH_OFFSET.test(time) ? Date.parse(time) : Number.NaN;
}
