import { calendarKey } from "../definition/calendar.js";
import type { CheckedDefinition } from "../definition/types.js";
import { type State, stopped } from "./decide.js";
import { dueTicks } from "./due-ticks.js";
import { chooseMissed } from "./missed.js";
import { cursorAt, inRanges, type Moved, one, range, type Why } from "./outcomes.js";

/**
 * The cursor for a new definition. If its ticks are those of the old one, nothing changes. Otherwise it
 * begins now, and ticks of the old one that nobody decided get their outcome by the policy of the new one:
 * the tick of this night is run also if the job is deployed right after it with another time.
 */
export function moveTo(definition: CheckedDefinition, state: State): Moved {
  const { schedule, cursor, now, began } = state;
  const { name } = schedule;
  if (calendarKey(definition) === calendarKey(schedule.definition)) return { cursor, ticks: [] };
  const waiting = cursor.waiting ?? [];
  const at = Math.max(cursor.at, now);
  // The calendar of the old definition, the policies of the new one. A tick whose jitter is not over counts
  // as due: the cursor passes it.
  const { cron: _, timeZone: __, every: ___, jitter: ____, ...policies } = definition;
  const { cron, timeZone, every } = schedule.definition;
  const mixed = JSON.parse(JSON.stringify({ ...policies, cron, timeZone, every })) as CheckedDefinition;
  const due = dueTicks(name, mixed, cursor.at, now);
  if ("next" in due) return { cursor: cursorAt(cursor, at, waiting), ticks: [] };
  const { run, ticks } = chooseMissed({ name, definition: mixed, now, began }, due);
  const stops = run.map((tick) => [tick, stopped(state, now) ?? stopped(state, tick)] as const);
  const skips = stops.flatMap(([tick, stop]) => (stop === undefined ? [] : [{ at: tick, value: stop }]));
  const skipped = inRanges(mixed, skips);
  const runs = stops.filter(([, stop]) => stop === undefined).map(([tick]) => tick);
  return { cursor: cursorAt(cursor, at, [...waiting, ...runs]), ticks: [...ticks, ...skipped] };
}

/** Gives all ticks that wait or are due one outcome. */
export function settleAll({ schedule, cursor, now }: State, why: Why): Moved {
  const { name, definition } = schedule;
  const waiting = (cursor.waiting ?? []).map((tick) => one(tick, why));
  const due = dueTicks(name, definition, cursor.at, now);
  if ("next" in due) return { cursor: cursorAt(cursor, cursor.at), ticks: waiting };
  const all = range(definition, due.first, due.last, why);
  return { cursor: cursorAt(cursor, due.last), ticks: [...waiting, all] };
}
