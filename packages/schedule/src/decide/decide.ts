import { lastTick } from "../calendar/search.js";
import { windowAt } from "../definition/blackout.js";
import { calendarOf } from "../definition/calendar.js";
import { MOST_WAITING, policiesOf } from "../definition/types.js";
import type { Cursor, StoredSchedule } from "../store/schema.js";
import { type DueTicks, dueTicks } from "./due-ticks.js";
import { chooseMissed, type Found, tooLate } from "./missed.js";
import { blackoutWhy, cursorAt, type Decided, inRanges, one, overlap, pausedWhy, range, type Why } from "./outcomes.js";

/**
 * A cursor that is further ahead than this, in ms, comes from a machine with a wrong clock. Going by it would
 * keep the job from running until then.
 */
export const WRONG_CLOCK = 3_600_000;

/** All that a decision rests on. */
export interface State {
  readonly schedule: StoredSchedule;
  readonly cursor: Cursor;
  readonly now: number;
  /** Since when this process is there, in ms since 1970. */
  readonly began: number;
}

/** What is to be done for a schedule. */
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

/** Decides on the ticks that are due. The same state leads to the same decision, whoever decides. */
export function decide(state: State): Decision {
  const { schedule, cursor, now } = state;
  const { name, definition } = schedule;
  if (cursor.at > now + WRONG_CLOCK) return { type: "reset", cursor: setBack(cursor, now) };
  const stop = stopped(state, now);
  const waiting = cursor.waiting ?? [];
  if (waiting.length > 0 && stop !== undefined) {
    return settle(cursorAt(cursor, cursor.at), ...waiting.map((tick) => one(tick, stop)));
  }
  const due = dueTicks(name, definition, cursor.at, now);
  if ("next" in due) return { type: "wait", due: due.next };
  return pausedTicks(state, due) ?? (due.beforeLast === undefined ? single(state, due) : several(state, due));
}

/** A cursor of a wrong clock, set back. Ticks that wait before their time come due again at their time. */
function setBack({ at, ahead = at, waiting = [] }: Cursor, now: number): Cursor {
  const due = waiting.filter((tick) => tick <= now);
  return cursorAt({ at, ahead: Math.max(at, ahead) }, now, due);
}

/** The tick `at` could not be started: the lock is held. */
export function blocked(state: State, at: number, held: Why["evidence"]): Settle {
  const { cursor, schedule } = state;
  const queued = policiesOf(schedule.definition).overlap !== "skip";
  return queued
    ? settle(cursorAt(cursor, at, [...(cursor.waiting ?? []), at]))
    : settle(cursorAt(cursor, at), one(at, overlap(held)));
}

/** Why nothing is started at this instant, or for a tick of this instant. */
export function stopped({ schedule: { paused, definition } }: State, at: number): Why | undefined {
  if (paused !== undefined && (paused.until === undefined || at < paused.until)) return pausedWhy(paused);
  const window = windowAt(definition.blackout, at);
  return window === undefined ? undefined : blackoutWhy(window);
}

function settle(cursor: Cursor, ...ticks: Decided[]): Settle {
  return { type: "settle", cursor, ticks };
}

/** The due ticks that fall into a pause, also into one that is over: nobody was there to decide on them. */
function pausedTicks({ schedule, cursor, now }: State, { first, last }: DueTicks): Decision | undefined {
  const { paused, definition } = schedule;
  const { until = Number.POSITIVE_INFINITY } = paused ?? {};
  if (paused === undefined || first >= until || last < paused.at) return undefined;
  const calendar = calendarOf(definition);
  const end = now < until ? last : lastTick(calendar, first, Math.min(last, until - 1));
  return settle(cursorAt(cursor, end, cursor.waiting), range(definition, first, end, pausedWhy(paused)));
}

/** One tick is due: it is on time, or the policy says whether it is run late. */
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

/** Several ticks are due: the policy decides on all of them, or on all but the newest. */
function several(state: State, due: DueTicks): Decision {
  const { schedule, cursor } = state;
  const { missed } = policiesOf(schedule.definition);
  const waiting = cursor.waiting ?? [];
  const found = foundBy(state);
  if (missed.run !== "all") {
    const { first, beforeLast = first } = due;
    const why: Why = { outcome: "missed", reason: missed.run === "none" ? "policy" : "not-latest" };
    return settle(cursorAt(cursor, beforeLast, waiting), range(schedule.definition, first, beforeLast, why));
  }
  const { run, ticks } = chooseMissed(found, due);
  const stops = run.map((tick) => [tick, stopped(state, tick)] as const);
  const room = MOST_WAITING - waiting.length;
  const runs = stops.filter(([, stop]) => stop === undefined).map(([tick]) => tick);
  const full = runs.slice(room).map((tick) => one(tick, queueFull(MOST_WAITING)));
  const skips = stops.flatMap(([at, stop]) => (stop === undefined ? [] : [{ at, value: stop }]));
  const skipped = inRanges(schedule.definition, skips);
  return settle(cursorAt(cursor, due.last, [...waiting, ...runs.slice(0, room)]), ...ticks, ...skipped, ...full);
}

export function foundBy({ schedule: { name, definition }, now, began }: State): Found {
  return { name, definition, now, began };
}

const queueFull = (waiting: number): Why => ({ outcome: "skipped", reason: "queue-full", evidence: { waiting } });
const replacedBy = (tick: number): Why => ({ outcome: "skipped", reason: "replaced", evidence: { by: tick } });
