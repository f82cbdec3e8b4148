import type { JobManager } from "@ojm/core";
import { all } from "@ojm/core/internal";
import { type OverdueTicks, type SchedulerView, type ScheduleView, schedulersIn } from "../control/overview.js";
import type { ScheduleTick } from "../control/ticks.js";
import { LATE } from "../decide/decide.js";
import { whyBackfilled, whyNotRun } from "../decide/outcomes.js";

/**
 * Why a schedule is unattended. `gone`: no living scheduler has it. `older`: the living schedulers that have
 * it use a different definition from that in the store.
 */
export type Unattended = "gone" | "older";

/** The texts for unattended schedules: for one, and for several. */
export const UNATTENDED: Readonly<Record<Unattended, { readonly one: string; readonly several: string }>> = {
  gone: { one: "no process runs this schedule", several: "no process runs these schedules" },
  older: {
    one: "the processes that are there have an older definition of this schedule, and take it over once no process with the newer one was seen for a minute",
    several:
      "the processes that are there have older definitions of these schedules, and take them over once no process with the newer ones was seen for a minute",
  },
};

/** A schedule by its name and its definition. */
type Defined = Pick<ScheduleView, "name" | "hash">;

/**
 * Finds which schedules are unattended: those that no living scheduler has, by their name and the hash of
 * their definition. Such a schedule is a problem at once, whether a tick is overdue or not.
 */
export function attendanceOf(schedulers: Iterable<SchedulerView>): (schedule: Defined) => Unattended | undefined {
  const names = new Set<string>();
  const definitions = new Set<string>();
  for (const { schedules } of schedulers) {
    for (const [name, hash] of schedules) {
      names.add(name);
      definitions.add(`${hash} ${name}`);
    }
  }
  return ({ name, hash }) => {
    if (definitions.has(`${hash} ${name}`)) return undefined;
    return names.has(name) ? "older" : "gone";
  };
}

/** Options of {@link overdueTicks}. Times are in ms since 1970. */
interface OverdueOptions {
  /** How late a tick must be to count as overdue, in ms. Default: 60,000. */
  readonly grace?: number | undefined;
  /** Only ticks after this one. Default: those that are not decided. */
  readonly after?: number;
  /** Only ticks that were due at this time. */
  readonly by?: number;
}

/**
 * The overdue ticks of a schedule: no process has decided them more than `grace` ms after they were due. By
 * default these are exactly the ticks that a scheduler would call missed ({@link LATE}). A living scheduler
 * decides within moments, so the result does not depend on whether one is alive. Ticks of a pause or a
 * blackout are never overdue.
 */
export function overdueTicks(
  schedule: Pick<ScheduleView, "overdue" | "decided">,
  now: number,
  { grace = LATE, after = schedule.decided, by = Number.POSITIVE_INFINITY }: OverdueOptions = {},
): OverdueTicks | undefined {
  // Overdue only after the grace, not exactly at its end, as schedulers judge missed ticks.
  return schedule.overdue(Math.min(by, now - grace - 1), after);
}

/** Reads the schedulers for {@link attendanceOf}. */
export async function attendanceIn(manager: JobManager): Promise<ReturnType<typeof attendanceOf>> {
  return attendanceOf(await all(schedulersIn(manager)));
}

/** The number of overdue ticks, and since when. */
function overdueText({ count, at }: OverdueTicks): string {
  return `${count === 1 ? "one tick is" : `${count} ticks are`} overdue, since ${new Date(at).toISOString()}`;
}

/**
 * The text about an unattended schedule, or about overdue ticks of an attended one; `undefined` if neither.
 */
export function attendanceText(
  unattended: Unattended | undefined,
  overdue: OverdueTicks | undefined,
): string | undefined {
  const ticks = overdue && overdueText(overdue);
  if (unattended === undefined) return ticks && `${ticks}: the processes that are there have not decided on them`;
  return [UNATTENDED[unattended].one, ...(ticks === undefined ? [] : [ticks])].join("; ");
}

/** Overdue ticks, as one entry next to the decided ones. */
export interface OverdueTick extends Omit<ScheduleTick, "outcome"> {
  readonly outcome: "overdue";
}

/** Overdue ticks, as one entry; empty if there are none. */
export function overdueEntry(schedule: string, ticks: OverdueTicks | undefined): OverdueTick[] {
  if (ticks === undefined) return [];
  const { at, until, count } = ticks;
  return [{ schedule, at, outcome: "overdue", ...(count > 1 && { until, count }) }];
}

/**
 * Why a tick was not run so far, or was run late, in words; `undefined` for one that was run in time.
 * `reasons`: why its job does not run now.
 */
export function tickText(
  tick: ScheduleTick | OverdueTick,
  reasons: readonly { readonly code: string; readonly text: string }[] = [],
): string | undefined {
  if (tick.outcome === "overdue") return "no process has decided on it so far";
  if (tick.outcome === "waiting") {
    const { code, text } = reasons.find((one) => ["running", "permit", "rate"].includes(one.code)) ?? {};
    const isLimited = code === "permit" || code === "rate";
    return `it waits for its run${isLimited ? `: ${text}` : ", behind those before it"}`;
  }
  return whyNotRun(tick) ?? whyBackfilled(tick);
}
