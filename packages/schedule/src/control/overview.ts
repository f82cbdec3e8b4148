import type { JobManager } from "@ojm/core";
import { countTicks } from "../calendar/search.js";
import { dueTicks } from "../decide/due-ticks.js";
import { windowAt } from "../definition/blackout.js";
import { calendarOf } from "../definition/calendar.js";
import { CHANNEL, type Cursor, type SchedulesValue, type StoredSchedule, tickKey } from "../store/schema.js";
import { isCursor, isSchedule } from "../store/valid.js";
import { type ScheduleTick, ticksIn } from "./ticks.js";

/** Ticks are counted up to this number, and so many blackouts are gone through. */
const MOST = 10_000;

/** Ticks that are due and that nobody has decided. Times are in ms since 1970. */
export interface OverdueTicks {
  /** The first one, and the last one. */
  readonly at: number;
  readonly until: number;
  /** How many they are, 10,000 at most. */
  readonly count: number;
}

/** A schedule as it is in the store. */
export interface ScheduleView {
  readonly name: string;
  /** All ticks up to this one have their outcome. In ms since 1970. */
  readonly decided: number;
  /** The outcomes of the ticks after `after` up to {@link ScheduleView.decided}, oldest first. */
  ticks(after: number): AsyncGenerator<ScheduleTick, void, undefined>;
  /** The first tick after `after`; `undefined` if the definition cannot be read. */
  next(after: number): number | undefined;
  /**
   * The ticks after `after` that were due at `by`, and that nobody has decided; `undefined` if there are
   * none. A pause or a blackout keeps a tick from being run, so such ticks at the begin do not count.
   */
  overdue(by: number, after: number): OverdueTicks | undefined;
}

/**
 * The schedules of a store, for a process that watches them: it needs no {@link Scheduler}, and works
 * while no scheduler lives.
 *
 * @throws ChannelError if the store fails
 */
export async function* schedulesIn(manager: JobManager): AsyncGenerator<ScheduleView, void, undefined> {
  const channel = await manager.channel<SchedulesValue>(CHANNEL);
  const schedules: StoredSchedule[] = [];
  for await (const { value } of channel.entries({ prefix: ["schedule"] })) if (isSchedule(value)) schedules.push(value);
  // The cursors after the definitions: one from before a change would make old ticks of the new calendar.
  const cursors = new Map<string, Cursor>();
  for await (const { key, value } of channel.entries({ prefix: ["cursor"] })) {
    if (isCursor(value)) cursors.set(String((key as readonly unknown[])[1]), value);
  }
  for (const schedule of schedules) {
    const { name } = schedule;
    const cursor = cursors.get(name);
    if (cursor === undefined) continue;
    const decided = Math.min(cursor.at, ...(cursor.waiting ?? []).map((at) => at - 1));
    yield {
      name,
      decided,
      ticks: (after) => ticksIn(channel, name, { after: tickKey(name, after), before: tickKey(name, decided + 1) }),
      next: (after) => readable(() => calendarOf(schedule.definition).next(after)),
      overdue: (by, after) => readable(() => overdue(schedule, Math.max(cursor.at, after), by)),
    };
  }
}

/** A later version of ojm may write definitions that this one cannot read. */
function readable<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function overdue({ name, definition, paused }: StoredSchedule, after: number, by: number): OverdueTicks | undefined {
  const due = dueTicks(name, definition, after, by);
  if ("next" in due) return undefined;
  const { last: until } = due;
  const calendar = calendarOf(definition);
  let at = due.first;
  for (let looked = 0; at <= until && looked < MOST; looked++) {
    const isPaused = paused !== undefined && at >= paused.at && at < (paused.until ?? Number.POSITIVE_INFINITY);
    const end = isPaused ? (paused.until ?? Number.POSITIVE_INFINITY) : windowAt(definition.blackout, at)?.to;
    if (end === undefined) return { at, until, count: countTicks(calendar, at, until, MOST - 1) + 1 };
    if (end > until) return undefined;
    at = calendar.next(end - 1);
  }
  return undefined;
}
