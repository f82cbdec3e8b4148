import type { JobManager } from "@ojm/core";
import {
  type CheckedDefinition,
  type OverdueTicks,
  type SchedulerView,
  type ScheduleView,
  schedulersIn,
  schedulesIn,
} from "@ojm/schedule";
import { take } from "./source.js";

/** The schedules of a store, and the processes that are there to run them. */
export interface Schedules {
  readonly schedules: readonly ScheduleView[];
  readonly schedulers: readonly SchedulerView[];
}

/** Reads the schedules, and who runs them. */
export async function readSchedules(manager: JobManager): Promise<Schedules> {
  const [schedules, schedulers] = await Promise.all([
    take(schedulesIn(manager), Number.POSITIVE_INFINITY),
    take(schedulersIn(manager), Number.POSITIVE_INFINITY),
  ]);
  return { schedules, schedulers };
}

/** The time zone in which a schedule is meant. */
export const zoneOf = ({ timeZone = "UTC" }: CheckedDefinition): string => timeZone;

/** A living process decides on a tick within moments: only after this time, in ms, it is overdue. */
const GRACE = 5_000;

/** The ticks of a schedule that are due, and that nobody has decided on. */
export function overdueTicks({ overdue, decided }: ScheduleView, now: number): OverdueTicks | undefined {
  return overdue(now - GRACE, decided);
}

/** Why nobody runs a schedule; `undefined` if a process does. */
export function nobodyRuns(
  { name, hash }: Pick<ScheduleView, "name" | "hash">,
  schedulers: readonly SchedulerView[],
): "gone" | "older" | undefined {
  const hashes = schedulers.flatMap(({ schedules }) => schedules.get(name) ?? []);
  if (hashes.includes(hash)) return undefined;
  return hashes.length === 0 ? "gone" : "older";
}

/** The same in words, for one schedule and for several. */
export const NOBODY = {
  gone: {
    one: "no process that runs this schedule is there",
    several: "no process that runs these schedules is there",
  },
  older: {
    one: "the processes that are there have an older definition of this schedule, and take it over when nobody with the newer one was seen for a minute",
    several:
      "the processes that are there have older definitions of these schedules, and take them over when nobody with the newer ones was seen for a minute",
  },
} as const;
