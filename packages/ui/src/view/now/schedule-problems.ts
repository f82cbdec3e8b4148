import { isOwn } from "@ojm/core/internal";
import type { ScheduleView } from "@ojm/schedule";
import type { Problem } from "../../contract/now.js";
import { NOBODY, nobodyRuns, type Schedules } from "../schedules.js";
import type { Source } from "../source.js";

/** A tick is overdue when nobody decided it for so long: schedulers need a moment. */
const GRACE = 60_000;

/** The most names of one problem. */
const NAMES = 200;

/** What is wrong with the schedules. */
export function problemsOfSchedules({ schedules, schedulers }: Schedules, now: number, source: Source): Problem[] {
  const others: Problem[] = [];
  const alone: Alone[] = [];
  for (const schedule of schedules.filter(({ name }) => !isOwn(name))) {
    const paused = pauseOf(schedule, now, source);
    const why = nobodyRuns(schedule, schedulers);
    if (paused !== undefined) others.push(paused);
    else if (why === undefined) others.push(...overdueOf(schedule, now));
    else alone.push({ name: schedule.name, why, at: schedule.overdue(now, schedule.decided)?.at });
  }
  return [...nobodyOf(alone, "gone"), ...nobodyOf(alone, "older"), ...others];
}

/** A schedule that nobody runs, and its first tick that nobody decided on. */
interface Alone {
  readonly name: string;
  readonly why: NonNullable<ReturnType<typeof nobodyRuns>>;
  readonly at: number | undefined;
}

/** One problem, however many schedules have it: a row for each would hide the failures of the others. */
function nobodyOf(all: readonly Alone[], why: Alone["why"]): Problem[] {
  const alone = all.filter((one) => one.why === why).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const [first] = alone;
  if (first === undefined) return [];
  // When the last process was there is known by no one: the first tick that nobody decided on is a sign.
  const ats = alone.flatMap(({ at }) => at ?? []);
  const names = alone.slice(0, NAMES).map(({ name }) => name);
  return [
    {
      kind: "nobody",
      name: first.name,
      ...(ats.length > 0 && { at: Math.min(...ats) }),
      text: NOBODY[why][alone.length === 1 ? "one" : "several"],
      ...(alone.length > 1 && { jobs: { n: alone.length, names } }),
    },
  ];
}

function pauseOf({ name, paused }: ScheduleView, now: number, { mask }: Source): Problem | undefined {
  if (paused === undefined || (paused.until ?? Number.POSITIVE_INFINITY) <= now) return undefined;
  return { kind: "paused", name, at: paused.at, text: mask(`paused by ${paused.by}: ${paused.reason}`) };
}

function overdueOf({ name, overdue, decided }: ScheduleView, now: number): Problem[] {
  const late = overdue(now - GRACE, decided);
  if (late === undefined) return [];
  const ticks = late.count === 1 ? "a tick is" : `${late.count} ticks are`;
  return [{ kind: "overdue", name, at: late.at, text: `${ticks} due, and nobody has run or skipped it` }];
}
