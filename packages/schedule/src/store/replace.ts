import type { Channel, Clock, Holder, JsonValue, Op, Version } from "@ojm/core";
import type { StartingRun } from "@ojm/core/internal";
import { lastTick } from "../calendar/search.js";
import { LATE } from "../decide/missed.js";
import { type Decided, range, type Why } from "../decide/outcomes.js";
import { calendarOf } from "../definition/calendar.js";
import { outcomeOps } from "./outcome-ops.js";
import { type SchedulesValue, type StoredSchedule, TICK_TTL, type TickValue, tickKey, unrunKey } from "./schema.js";
import { isTick } from "./valid.js";

/** What is needed of a `ScheduleStore`. */
interface Store {
  readonly channel: Channel<SchedulesValue>;
  readonly clock: Clock;
  readonly by: Holder;
}

/** An outcome in the store, the tick of its entry, and how much longer it is kept, in ms. */
export interface FoundOutcome {
  readonly at: number;
  readonly value: TickValue;
  readonly version: Version;
  readonly expiresIn: number;
}

/**
 * The entry that a tick falls into. A range counts for all ticks of its time, even if the schedule has
 * another
 * calendar by now: so no two entries overlap, and the nearest one is the only candidate.
 */
export async function outcomeAt(
  { channel }: Pick<Store, "channel">,
  name: string,
  at: number,
): Promise<FoundOutcome | undefined> {
  const [found] = await outcomesIn(channel, name, at, at);
  return found !== undefined && holds(found, at) ? found : undefined;
}

/** The outcomes of a time, oldest first, and the one before them: it may be a range that reaches into it. */
async function outcomesIn(
  channel: Store["channel"],
  name: string,
  first: number,
  last: number,
): Promise<FoundOutcome[]> {
  const prefix = ["tick", name];
  const all: FoundOutcome[] = [];
  const before = { prefix, before: tickKey(name, first + 1), reverse: true, limit: 1 };
  const within = { prefix, after: tickKey(name, first), before: tickKey(name, last + 1) };
  for (const range of first === last ? [before] : [before, within]) {
    for await (const { key, value, version, expiresIn = TICK_TTL } of channel.entries(range)) {
      const [, , at] = key as readonly unknown[];
      if (typeof at === "number" && isTick(value)) all.push({ at, value, version, expiresIn });
    }
  }
  return all;
}

const holds = ({ at: first, value: { until = first } }: FoundOutcome, at: number): boolean =>
  at >= first && at <= until;

/**
 * The ops that write a run instead of the outcome that its tick has so far. A range that the tick was part of
 * is cut in two: no tick has two outcomes.
 */
export function replaceOps(
  store: Store,
  { name, at, found, run }: { name: string; at: number; found: FoundOutcome; run: StartingRun },
  more: { readonly [field: string]: JsonValue } = {},
): Op<SchedulesValue>[] {
  const { until, count: _, more: __, calendar: of, ...rest } = found.value;
  const calendar = until === undefined || of === undefined ? undefined : calendarOf(of);
  // A tick of a new calendar has no outcome of its own before.
  const isOne = at === found.at || calendar?.next(at - 1) === at;
  const before = isOne && { before: { outcome: rest.outcome, ...(rest.reason && { reason: rest.reason }) } };
  const evidence = { ...more, ...before };
  const value = { outcome: "run", run: run.id, evidence } as const;
  const tick: TickValue = { ...value, by: store.by, decided: store.clock.now(), revision: rest.revision };
  const ops: Op<SchedulesValue>[] = [
    { check: tickKey(name, found.at), version: found.version },
    ...outcomeOps(name, at, tick),
    { delete: unrunKey(name, at) },
  ];
  if (until === undefined || of === undefined || calendar === undefined) return ops;
  const part = (first: number, last: number): Op<SchedulesValue>[] => {
    const { value } = range(of, first, last, rest as Why);
    return outcomeOps(name, first, { ...rest, ...value }, found.expiresIn);
  };
  if (found.at < at) {
    ops.push({ check: tickKey(name, at), version: null });
    ops.push(...part(found.at, lastTick(calendar, found.at, at - 1)));
  }
  const next = calendar.next(at);
  if (next <= until) ops.push(...part(next, until));
  return ops;
}

/**
 * Late ticks up to here get no outcome once a cursor was set back: if the store has none, they were decided
 * by
 * an earlier definition, or before there was a schedule, or more than 30 days ago.
 */
export function passedBefore({ since }: Pick<StoredSchedule, "since">, now: number): number {
  return Math.max(Math.min(since, now - LATE), now - TICK_TTL);
}

/** What is left of outcomes without the ticks up to `passed`, and those that have an outcome in the store. */
export async function undecided(
  channel: Store["channel"],
  name: string,
  ticks: readonly Decided[],
  passed: number,
): Promise<Decided[]> {
  const left: Decided[] = [];
  for (const tick of ticks) {
    const { at, value } = tick;
    if ((value.until ?? at) <= passed) continue;
    const { until = at, count: _, more: __, calendar: of = {}, ...why } = value;
    const first = Math.max(at, Math.min(passed, until));
    const known = await outcomesIn(channel, name, first, until);
    if (until === at) {
      if (!known.some((outcome) => holds(outcome, at))) left.push(tick);
      continue;
    }
    const calendar = calendarOf(of);
    let from = at > passed ? at : calendar.next(passed);
    for (const { at: start, value } of known) {
      if (start > from) left.push(range(of, from, lastTick(calendar, from, start - 1), why as Why));
      from = Math.max(from, calendar.next(value.until ?? start));
    }
    if (from <= until) left.push(range(of, from, until, why as Why));
  }
  return left;
}
