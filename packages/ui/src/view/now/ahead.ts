import type { NextTick } from "@ojm/schedule";
import type { Source } from "../source.js";
import type { Due } from "./ticks.js";

const DAY = 86_400_000;
const SLOTS = 48;
const SLOT = DAY / SLOTS;

/** For so long an answer is good, in ms: a thirtieth of a slot. */
const GOOD = 60_000;

/** What was computed last, for which schedules, and when. */
interface Kept {
  readonly of: string;
  readonly at: number;
  readonly slots: readonly number[];
}

const kept = new WeakMap<Source, Kept>();

/**
 * How many jobs are due in each half hour of the next day. `firsts`: their first ticks. It is computed once a
 * minute: a tick of a cron takes a tenth of a millisecond, and of fifty jobs there are up to 2,400.
 */
export function aheadOf(source: Source, firsts: readonly Due[], now: number): readonly number[] {
  const of = JSON.stringify(firsts.map(({ schedule: { name, hash, paused } }) => [name, hash, paused]));
  const last = kept.get(source);
  if (last?.of === of && now - last.at < GOOD) return last.slots;
  const slots = slotsOf(firsts, now);
  kept.set(source, { of, at: now, slots });
  return slots;
}

/** Of a job that is due each second, one tick in each slot is computed. */
function slotsOf(firsts: readonly Due[], now: number): number[] {
  const slots = Array.from({ length: SLOTS }, () => 0);
  for (const { schedule, tick: first } of firsts) {
    let tick: NextTick | undefined = first;
    while (tick !== undefined && tick.due < now + DAY) {
      const slot = Math.floor((tick.due - now) / SLOT);
      if (tick.skipped === undefined) slots[slot] = (slots[slot] ?? 0) + 1;
      tick = schedule.upcoming(Math.max(tick.at, now + (slot + 1) * SLOT - 1));
    }
  }
  return slots;
}
