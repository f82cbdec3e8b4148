import type { ScheduleDefinition } from "@ojm/schedule";

/** A cycle of the crowd, in ms: schedules tick in its first part, and no schedule ticks in its last part. */
export const CYCLE = 15_000;

/** How many seconds of a cycle have ticks. */
export const TICKING_SECONDS = 8;

const CYCLES_OF_A_MINUTE = 60_000 / CYCLE;

/** How many phases the cron expressions have: more than the calendars that a process keeps. */
const PHASES = 240;

const HOUR = 3_600_000;

/** A schedule whose ticks are far apart: none comes while the costs of an idle process are measured. */
export function farDefinition(i: number): ScheduleDefinition {
  return { every: 1_000 * HOUR + i };
}

/**
 * A schedule with a tick each three to four minutes. Those of an interval spread over all milliseconds; those
 * of a cron expression are due at whole seconds, many at once.
 */
export function spreadDefinition(i: number): ScheduleDefinition {
  if (i % 2 === 0) return { every: 180_000 + 8 * i };
  const phase = ((i - 1) / 2) % PHASES;
  return { cron: `${phase % 60} ${Math.floor(phase / 60)}-59/4 * * * *` };
}

/**
 * How long ticks are delayed at most, in ms. Without it, all ticks of a second are due at once, and a process
 * joins their writes to one call.
 */
const JITTER = 900;

/** A schedule with one tick a minute, in the ticking part of one of the cycles of that minute. */
export function cycleDefinition(i: number): ScheduleDefinition {
  const cycle = i % CYCLES_OF_A_MINUTE;
  const second = Math.floor(i / CYCLES_OF_A_MINUTE) % TICKING_SECONDS;
  return { cron: `${(cycle * CYCLE) / 1_000 + second} * * * * *`, jitter: JITTER };
}

/** How many of the first `count` cycle definitions tick in the cycle that begins at `begin`. */
export function ticksOfCycle(count: number, begin: number): number {
  const cycle = (begin % 60_000) / CYCLE;
  return Math.max(0, Math.ceil((count - cycle) / CYCLES_OF_A_MINUTE));
}

/** When the next cycle begins that is at least `ahead` ms away. */
export function nextCycle(now: number, ahead: number): number {
  return Math.ceil((now + ahead) / CYCLE) * CYCLE;
}
