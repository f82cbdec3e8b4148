import { newestTicks } from "../calendar/search.js";
import { calendarOf, dueTime } from "../definition/calendar.js";
import { type CheckedDefinition, policiesOf } from "../definition/types.js";
import type { DueTicks } from "./due-ticks.js";
import { type Decided, inRanges, range, type Why } from "./outcomes.js";

/** A tick that is found later than this after it was due, in ms, is missed: the policy decides on it. */
export const LATE = 60_000;

/** What the policy of a schedule says of the ticks that it finds. */
export interface Found {
  readonly name: string;
  readonly definition: CheckedDefinition;
  readonly now: number;
  /** Since when this process is there, in ms since 1970. */
  readonly began: number;
}

const missed = (reason: Why["reason"]): Why => ({ outcome: "missed", reason });

/** Why a tick that was due at `due` is too late to be run; `undefined` if it is not. */
export function tooLate({ definition, now, began }: Found, tick: number, due: number): Why | undefined {
  if (now - due <= LATE) return undefined;
  const { run, within, downtime } = policiesOf(definition).missed;
  if (run === "none") return missed("policy");
  if (!downtime && tick < began) return missed("nobody-there");
  return now - due > within ? missed("too-late") : undefined;
}

/** Which of several due ticks are run, in order, and the outcomes of the others. */
export function chooseMissed(found: Found, ticks: DueTicks): { readonly run: number[]; readonly ticks: Decided[] } {
  const { name, definition } = found;
  const { run, max } = policiesOf(definition).missed;
  const schedule = calendarOf(definition);
  const newest = newestTicks(schedule, ticks.first, ticks.last, run === "all" ? max : 1);
  const kept = newest.filter((tick) => tooLate(found, tick, dueTime(name, definition, tick)) === undefined);
  const [first] = newest as [number];
  const others: Decided[] = [];
  if (first > ticks.first) {
    const reason = run === "none" ? "policy" : run === "latest" ? "not-latest" : "too-many";
    const before = newestTicks(schedule, ticks.first, first, 2)[0] as number;
    others.push(range(definition, ticks.first, before, missed(reason)));
  }
  const late = newest.flatMap((tick) => {
    const why = tooLate(found, tick, dueTime(name, definition, tick));
    return why === undefined ? [] : [{ at: tick, value: why }];
  });
  return { run: kept, ticks: [...others, ...inRanges(definition, late)] };
}
