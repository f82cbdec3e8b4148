import { createHash } from "node:crypto";
import { hash32, present } from "@ojm/core/internal";
import { cronSchedule } from "../calendar/cron.js";
import { intervalSchedule, type Schedule, ScheduleError } from "../calendar/schedule.js";
import type { Calendar, CheckedDefinition } from "./types.js";

/** The most parsed calendars in memory. One takes some 80 KB, and there may be ten thousand schedules. */
const MOST_CALENDARS = 64;

const kept = new Map<string, Schedule>();

/** The most calendars whose last answer is cached, for callers that query all schedules repeatedly. */
const MOST_FOUND = 20_000;

/** The last answer of a calendar: `at` is its first tick after each instant from `after` on. */
const found = new Map<string, { readonly after: number; readonly at: number }>();

/** The part of a definition that determines its ticks: with equal keys, two have the same ticks. */
export function calendarKey({ cron, timeZone, every }: Calendar): string {
  return cron === undefined ? `every ${every}` : `${timeZone ?? "UTC"} ${cron}`;
}

/** The calendar of a definition. */
export function calendarIn({ cron, timeZone, every }: Calendar): Calendar {
  return present(cron === undefined ? { every } : { cron, timeZone });
}

/**
 * The ticks of a definition.
 *
 * @throws ScheduleError if its calendar is wrong. Never throws if {@link found} contains the calendar,
 * because it was then read before without an error
 */
export function calendarOf(definition: Calendar): Schedule {
  const key = calendarKey(definition);
  if (!found.has(key)) read(key, definition);
  return { next: (after) => nextOf(key, definition, after) };
}

function nextOf(key: string, definition: Calendar, after: number): number {
  const before = found.get(key);
  if (before !== undefined && after >= before.after && after < before.at) return before.at;
  const at = (kept.get(key) ?? read(key, definition)).next(after);
  remember(found, MOST_FOUND, key, { after, at });
  return at;
}

function read(key: string, { cron, timeZone, every = 0 }: Calendar): Schedule {
  // Any program can write a definition into the store.
  for (const [setting, text] of Object.entries({ cron, timeZone })) {
    if (text !== undefined && typeof text !== "string")
      throw new ScheduleError("INVALID", `${setting} of a schedule must be a text.`, setting);
  }
  const schedule = cron === undefined ? intervalSchedule(every, 0) : cronSchedule(cron, timeZone);
  remember(kept, MOST_CALENDARS, key, schedule);
  return schedule;
}

function remember<V>(map: Map<string, V>, most: number, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}

/**
 * When the tick `at` is due: later by its jitter, but never past the next tick. The same in every process.
 */
export function dueTime(name: string, definition: CheckedDefinition, at: number): number {
  const { jitter = 0 } = definition;
  if (jitter === 0 || at === Number.POSITIVE_INFINITY) return at;
  const gap = calendarOf(definition).next(at) - at;
  return at + (hash32(`${name} ${at}`) % Math.max(1, Math.min(jitter, gap)));
}

/** A hash of a definition, the same in every process and version. A new hash shows a new definition. */
export function hashOf(definition: CheckedDefinition): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(definition)))
    .digest("hex")
    .slice(0, 16);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const map = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(map)
      .sort()
      .map((key) => [key, sorted(map[key])]),
  );
}
