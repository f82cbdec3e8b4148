import type { Maintenance } from "@ojm/core";
import { lastTick, newestTicks } from "../calendar/schedule.js";
import { windowAt } from "../definition/blackout.js";
import { calendarIn, calendarKey, calendarOf, dueTime } from "../definition/calendar.js";
import { isReadable, readableCalendar } from "../definition/check.js";
import { type CheckedDefinition, MOST_WAITING, policiesOf } from "../definition/types.js";
import { type Cursor, pauseAt, type StoredSchedule } from "../store/schema.js";
import {
  blackoutWhy,
  cursorAt,
  type Decided,
  inRanges,
  type Moved,
  one,
  overlap,
  pausedWhy,
  range,
  type Why,
} from "./outcomes.js";

/**
 * A cursor that is further ahead than this, in ms, comes from a machine with a wrong clock. Following it
 * would keep the job from running until then.
 */
export const WRONG_CLOCK = 3_600_000;

/** The inputs of a decision. */
export interface State {
  readonly schedule: StoredSchedule;
  readonly cursor: Cursor;
  readonly now: number;
  /** When this process began, in ms since 1970. */
  readonly began: number;
  /** The maintenance that keeps it from running at `now`. */
  readonly maintenance?: Maintenance | undefined;
}

/** The next step for a schedule. */
export type Decision =
  /** Nothing before this instant. */
  | { readonly type: "wait"; readonly due: number }
  /** The outcomes of ticks that are not run, and the cursor behind them: one commit. */
  | { readonly type: "settle"; readonly cursor: Cursor; readonly ticks: readonly Decided[] }
  /** Start a run for this tick; its claim writes the cursor. */
  | { readonly type: "start"; readonly at: number; readonly due: number; readonly cursor: Cursor }
  /** The cursor comes from a wrong clock. */
  | { readonly type: "reset"; readonly cursor: Cursor };

type Settle = Extract<Decision, { type: "settle" }>;

/** Decides the ticks that are due. The same state leads to the same decision in any process. */
export function decide(state: State): Decision {
  const { schedule, cursor, now, maintenance } = state;
  const { name, definition } = schedule;
  if (cursor.at > now + WRONG_CLOCK) return { type: "reset", cursor: setBack(cursor, now) };
  // At its end, the ticks of a maintenance are late ones, as if no process had been there.
  if (maintenance !== undefined) return { type: "wait", due: maintenance.until ?? Number.POSITIVE_INFINITY };
  const stop = stopped(state, now);
  const waiting = cursor.waiting ?? [];
  if (waiting.length > 0 && stop !== undefined) {
    return settle(cursorAt(cursor, cursor.at), ...waiting.map((tick) => one(tick, stop)));
  }
  const due = dueTicks(name, definition, cursor.at, now);
  if ("next" in due) return { type: "wait", due: due.next };
  return pausedTicks(state, due) ?? (due.beforeLast === undefined ? single(state, due) : several(state, due));
}

/** Sets back a cursor that a wrong clock moved. Waiting ticks that are not due yet wait no longer. */
function setBack(cursor: Cursor, now: number): Cursor {
  const { at, ahead = at, waiting = [] } = cursor;
  const due = waiting.filter((tick) => tick <= now);
  return cursorAt({ ...cursor, ahead: Math.max(at, ahead) }, now, due);
}

/** The tick `at` could not be started: the lock is held, others have its permits, or its rate is used up. */
export function blocked(state: State, at: number, held: Why["evidence"], awaited?: string): Settle {
  const { cursor, schedule } = state;
  const queued = awaited !== undefined || policiesOf(schedule.definition).overlap !== "skip";
  return queued
    ? settle(cursorAt(cursor, at, [...(cursor.waiting ?? []), at]))
    : settle(cursorAt(cursor, at), one(at, overlap(held)));
}

/** Why no run may start at this instant, or for a tick at this instant; `undefined` if it may. */
export function stopped({ schedule }: Pick<State, "schedule">, at: number): Why | undefined {
  const paused = pauseAt(schedule, at);
  if (paused !== undefined) return pausedWhy(paused);
  const window = windowAt(schedule.definition.blackout, at);
  return window === undefined ? undefined : blackoutWhy(window);
}

function settle(cursor: Cursor, ...ticks: Decided[]): Settle {
  return { type: "settle", cursor, ticks };
}

/**
 * Settles the due ticks that fall into a pause. The pause may be over, if no process decided them during it.
 */
function pausedTicks({ schedule, cursor, now }: State, { first, last }: DueTicks): Settle | undefined {
  const { paused, definition } = schedule;
  const { until = Number.POSITIVE_INFINITY } = paused ?? {};
  if (paused === undefined || first >= until || last < paused.at) return undefined;
  const calendar = calendarOf(definition);
  const end = now < until ? last : lastTick(calendar, first, Math.min(last, until - 1));
  return settle(cursorAt(cursor, end, cursor.waiting), range(definition, first, end, pausedWhy(paused)));
}

/** One tick is due: it is on time, or the policy decides whether it is run late. */
function single(state: State, { last: at, due }: DueTicks): Decision {
  const { cursor, now } = state;
  const waiting = cursor.waiting ?? [];
  const why = tooLate(foundBy(state), at, due) ?? stopped(state, now) ?? stopped(state, at);
  if (why !== undefined) return settle(cursorAt(cursor, at, waiting), one(at, why));
  if (waiting.length === 0) return { type: "start", at, due, cursor: cursorAt(cursor, at) };
  switch (policiesOf(state.schedule.definition).overlap) {
    case "skip":
      return settle(cursorAt(cursor, at, waiting), one(at, overlap({ waiting: waiting.length })));
    case "queue":
      if (waiting.length < MOST_WAITING) return settle(cursorAt(cursor, at, [...waiting, at]));
      return settle(cursorAt(cursor, at, waiting), one(at, queueFull(waiting.length)));
    case "replace":
      return settle(cursorAt(cursor, at, [at]), ...waiting.map((tick) => one(tick, replacedBy(at))));
  }
}

/** Several ticks are due: the policy decides all of them, or all but the newest. */
function several(state: State, due: DueTicks): Decision {
  const { schedule, cursor } = state;
  const { missed } = policiesOf(schedule.definition);
  const waiting = cursor.waiting ?? [];
  if (missed.run !== "all") {
    const { first, beforeLast = first } = due;
    const why: Why = { outcome: "missed", reason: missed.run === "none" ? "policy" : "not-latest" };
    return settle(cursorAt(cursor, beforeLast, waiting), range(schedule.definition, first, beforeLast, why));
  }
  const { run, ticks } = chooseMissed(foundBy(state), due, (tick) => stopped(state, tick));
  const room = MOST_WAITING - waiting.length;
  const full = run.slice(room).map((tick) => one(tick, queueFull(MOST_WAITING)));
  return settle(cursorAt(cursor, due.last, [...waiting, ...run.slice(0, room)]), ...ticks, ...full);
}

function foundBy({ schedule: { name, definition }, now, began }: State): Found {
  return { name, definition, now, began };
}

const queueFull = (waiting: number): Why => ({ outcome: "skipped", reason: "queue-full", evidence: { waiting } });
const replacedBy = (tick: number): Why => ({ outcome: "skipped", reason: "replaced", evidence: { by: tick } });

/** The due ticks of a schedule that have no outcome yet. */
interface DueTicks {
  readonly first: number;
  readonly last: number;
  /** The second last tick; `undefined` if there is only one. */
  readonly beforeLast: number | undefined;
  /** When the last one was due, with its jitter. */
  readonly due: number;
}

/** The ticks after `after` that are due at `now`; or the due time of the next one. */
export function dueTicks(
  name: string,
  definition: CheckedDefinition,
  after: number,
  now: number,
): DueTicks | { readonly next: number } {
  const schedule = calendarOf(definition);
  const first = schedule.next(after);
  const firstDue = dueTime(name, definition, first);
  if (firstDue > now) return { next: firstDue };
  let last = lastTick(schedule, first, now);
  let due = dueTime(name, definition, last);
  if (due > now) {
    // Its jitter is not over. Jitter never extends past the next tick, so the previous tick is due.
    last = lastTick(schedule, first, last - 1);
    due = dueTime(name, definition, last);
  }
  const beforeLast = last === first ? undefined : lastTick(schedule, first, last - 1);
  return { first, last, beforeLast, due };
}

/** A tick that is found later than this after its due time, in ms, is missed: the policy decides it. */
export const LATE = 60_000;

/** The inputs of the policy for found ticks. */
interface Found {
  readonly name: string;
  readonly definition: CheckedDefinition;
  readonly now: number;
  /** When this process began, in ms since 1970. */
  readonly began: number;
}

const missed = (reason: Why["reason"]): Why => ({ outcome: "missed", reason });

/** Why a tick that was due at `due` is too late to be run; `undefined` if it is not. */
export function tooLate({ definition, now, began }: Found, tick: number, due: number): Why | undefined {
  if (now - due <= LATE) return undefined;
  const { run, within, downtime } = policiesOf(definition).missed;
  if (run === "none") return missed("policy");
  if (!downtime && tick < began) return missed("no-scheduler");
  return now - due > within ? missed("too-late") : undefined;
}

/** The due ticks that are run, in order, and the outcomes of the others. `stop`: why a tick may not run. */
function chooseMissed(
  found: Found,
  ticks: DueTicks,
  stop: (tick: number) => Why | undefined,
): { readonly run: number[]; readonly ticks: Decided[] } {
  const { name, definition } = found;
  const { run, max } = policiesOf(definition).missed;
  const schedule = calendarOf(definition);
  const newest = newestTicks(schedule, ticks.first, ticks.last, run === "all" ? max : 1);
  const [first] = newest as [number];
  const others: Decided[] = [];
  if (first > ticks.first) {
    const reason = run === "none" ? "policy" : run === "latest" ? "not-latest" : "too-many";
    const before = newestTicks(schedule, ticks.first, first, 2)[0] as number;
    others.push(range(definition, ticks.first, before, missed(reason)));
  }
  const each = newest.map((at) => ({ at, why: tooLate(found, at, dueTime(name, definition, at)) ?? stop(at) }));
  const kept = each.filter(({ why }) => why === undefined).map(({ at }) => at);
  const left = each.flatMap(({ at, why }) => (why === undefined ? [] : { at, value: why }));
  return { run: kept, ticks: [...others, ...inRanges(definition, left)] };
}

/**
 * The cursor for a new definition. If both definitions have the same ticks, the cursor does not change.
 * Otherwise the new ticks begin now, and the policy of the new definition decides the undecided ticks of the
 * old one. So tonight's tick is run even if a deploy right after it changes the time of the schedule.
 */
export function moveTo(definition: CheckedDefinition, state: State): Moved {
  const { schedule, cursor, now, began } = state;
  const { name } = schedule;
  if (calendarKey(definition) === calendarKey(schedule.definition)) return { cursor, ticks: [] };
  const waiting = cursor.waiting ?? [];
  const at = Math.max(cursor.at, now);
  // Combine the calendar of the old definition with the policies of the new one, without its jitter: a tick
  // that only its jitter delays counts as due, because the cursor passes it.
  const { cron: _, timeZone: __, every: ___, jitter: ____, ...policies } = definition;
  const { cron, timeZone, every } = schedule.definition;
  const mixed = JSON.parse(JSON.stringify({ ...policies, cron, timeZone, every })) as CheckedDefinition;
  const due = dueTicks(name, mixed, cursor.at, now);
  if ("next" in due) return { cursor: cursorAt(cursor, at, waiting), ticks: [] };
  const stop = (tick: number): Why | undefined => stopped(state, now) ?? stopped(state, tick);
  const { run, ticks } = chooseMissed({ name, definition: mixed, now, began }, due, stop);
  return { cursor: cursorAt(cursor, at, [...waiting, ...run]), ticks };
}

/**
 * The cursor for a new definition in place of one that this version cannot read. To run an undecided tick of
 * the old one would be a guess, because an unknown option may exclude it: it is missed, or was paused. If the
 * old calendar cannot be read either, the ticks are those of the new one.
 */
export function moveFromUnreadable(definition: CheckedDefinition, { schedule, ...state }: State): Moved {
  const { cursor, now } = state;
  const { name } = schedule;
  const calendar = readableCalendar(schedule.definition) ?? calendarIn(definition);
  const end = cursorAt(cursor, Math.max(cursor.at, now), cursor.waiting);
  const due = dueTicks(name, calendar, cursor.at, now);
  if ("next" in due) return { cursor: end, ticks: [] };
  const paused = pausedTicks({ ...state, schedule: { ...schedule, definition: calendar } }, due);
  const rest = dueTicks(name, calendar, (paused ?? state).cursor.at, now);
  const unreadable = "next" in rest ? [] : [range(calendar, rest.first, rest.last, missed("unreadable"))];
  return { cursor: end, ticks: [...(paused?.ticks ?? []), ...unreadable] };
}

/**
 * Gives all waiting and due ticks one outcome. If the calendar cannot be read, its due ticks are unknown, and
 * only the waiting ones get it.
 */
export function settleAll({ schedule, cursor, now }: State, why: Why): Moved {
  const { name } = schedule;
  const waiting = (cursor.waiting ?? []).map((tick) => one(tick, why));
  const known = isReadable(schedule.definition) ? schedule.definition : undefined;
  const definition = known ?? readableCalendar(schedule.definition);
  if (definition === undefined) return { cursor: cursorAt(cursor, cursor.at), ticks: waiting };
  const due = dueTicks(name, definition, cursor.at, now);
  if ("next" in due) return { cursor: cursorAt(cursor, cursor.at), ticks: waiting };
  const all = range(definition, due.first, due.last, why);
  return { cursor: cursorAt(cursor, due.last), ticks: [...waiting, all] };
}
