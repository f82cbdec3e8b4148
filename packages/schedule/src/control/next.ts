import type { HeldLock } from "@ojm/core";
import { type Hold, holdOf } from "@ojm/core/internal";
import { ScheduleError } from "../calendar/schedule.js";
import { windowAt } from "../definition/blackout.js";
import { calendarOf, dueTime } from "../definition/calendar.js";
import { show } from "../definition/show.js";
import type { Cursor, StoredSchedule } from "../store/schema.js";

/** The most ticks that are looked ahead. */
const MOST = 10_000;

/** How many blackouts are looked behind: with one on each of its days, a schedule never runs. */
const MOST_SKIPPED = 100;

/** A tick that is to come. */
export interface NextTick {
  /** In ms since 1970. */
  readonly at: number;
  /** `at`, and the delay by its jitter. */
  readonly due: number;
  /** Why it will not be run, as it is now. `held`: a person holds the job until after it is due. */
  readonly skipped?: "paused" | "blackout" | "held";
  /** On the first of them: how many earlier ticks wait for their run, which begin before it. */
  readonly waiting?: number;
}

/** What is known beside the schedule. */
export interface Ahead {
  /** Until when a person holds the job, in ms since 1970. */
  readonly held?: number | undefined;
  /** How far its ticks are decided. */
  readonly cursor?: Cursor | undefined;
}

/** The next `limit` ticks of a schedule after `now`. */
export function nextTicks(of: StoredSchedule, now: number, limit: number, { held = 0, cursor }: Ahead): NextTick[] {
  const { name, definition } = of;
  if (!Number.isInteger(limit) || limit < 0 || limit > MOST) {
    throw new ScheduleError("INVALID", `"limit" is a whole number from 0 to ${MOST}, not ${show(limit)}`, "limit");
  }
  const schedule = calendarOf(definition);
  const ticks: NextTick[] = [];
  const waiting = cursor?.waiting?.length ?? 0;
  let at = now;
  while (ticks.length < limit) {
    at = schedule.next(at);
    const due = dueTime(name, definition, at);
    const skipped = skippedAt(of, at) ?? (due < held && (definition.overlap ?? "skip") === "skip" ? "held" : undefined);
    ticks.push({
      at,
      due,
      ...(skipped !== undefined && { skipped }),
      ...(ticks.length === 0 && waiting > 0 && { waiting }),
    });
  }
  return ticks;
}

/** The next tick that will be run, as it is now; `undefined` while a pause or blackouts have no end. */
export function nextRun(of: StoredSchedule, now: number, { held = 0 }: Ahead): NextTick | undefined {
  const { definition, paused } = of;
  let after = now;
  for (let looked = 0; looked < MOST_SKIPPED; looked++) {
    const [tick] = nextTicks(of, after, 1, { held });
    if (tick?.skipped === undefined) return tick;
    const end = {
      paused: paused?.until ?? Number.POSITIVE_INFINITY,
      blackout: windowAt(definition.blackout, tick.at)?.to ?? 0,
      // A tick before that is due while the job is held, however late its jitter makes it.
      held: held - (definition.jitter ?? 0),
    }[tick.skipped];
    if (end === Number.POSITIVE_INFINITY) return undefined;
    after = Math.max(tick.at, end - 1);
  }
  return undefined;
}

function skippedAt({ definition, paused }: StoredSchedule, at: number): "paused" | "blackout" | undefined {
  if (paused !== undefined && (paused.until === undefined || at < paused.until)) return "paused";
  return windowAt(definition.blackout, at) === undefined ? undefined : "blackout";
}

/** The jobs that people hold, by name. */
export function holdsIn(locks: readonly HeldLock[]): ReadonlyMap<string, Hold> {
  const holds = new Map<string, Hold>();
  for (const lock of locks) {
    const hold = holdOf(lock);
    if (hold !== undefined) holds.set(lock.name, hold);
  }
  return holds;
}
