import { cronSchedule } from "./cron.js";
import { lastTick, ScheduleError } from "./schedule.js";

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** The furthest that the last tick may lie back, in ms: February 29 can be missing for eight years. */
const FURTHEST = 50 * 365 * 24 * HOUR;

/**
 * The last tick of a cron expression up to `now`, as the option `once` of a run that another program, such as
 * cron, starts. If several machines call this for the same tick, only one of them runs it.
 *
 * A late start belongs to the last tick before it, however long ago that was. The key is remembered until one
 * interval and an hour after the next tick, because the clocks of the machines may differ by that much.
 *
 * @param timeZone a name of the IANA list, or `local`. Default: UTC
 * @example
 * const once = onceForTick("0 2 * * *", "Europe/Lisbon");
 * await manager.run("nightly-dump", dump, { once });
 *
 * @throws ScheduleError if the expression is wrong or has no tick before `now`, or the zone is unknown
 */
export function onceForTick(
  cron: string,
  timeZone?: string,
  now: number = Date.now(),
): { readonly key: string; readonly keep: number } {
  return onceFor(lastTickOf(cron, timeZone, now), now);
}

/** The last tick, and the one after it. */
interface LastTick {
  readonly at: number;
  readonly next: number;
}

/** A tick that {@link lastTickOf} returned, as the option `once` of its run. */
export function onceFor({ at, next }: LastTick, now: number): { readonly key: string; readonly keep: number } {
  return { key: `tick ${new Date(at).toISOString()}`, keep: next - now + (next - at) + HOUR };
}

/**
 * The last tick of a cron expression up to `now`, and the one after it.
 *
 * @throws ScheduleError if the expression is wrong or has no tick before `now`, or the zone is unknown
 */
export function lastTickOf(cron: string, timeZone: string | undefined, now: number): LastTick {
  const schedule = cronSchedule(cron, timeZone);
  for (let back = MINUTE; back < FURTHEST; back *= 4) {
    const first = schedule.next(now - back);
    if (first > now) continue;
    const at = lastTick(schedule, first, now);
    return { at, next: schedule.next(at) };
  }
  throw new ScheduleError("INVALID", `"${cron}" has no tick before ${new Date(now).toISOString()}`, "cron");
}
