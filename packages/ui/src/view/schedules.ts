import type { JobManager } from "@ojm/core";
import {
  type CheckedDefinition,
  type SchedulerView,
  type ScheduleView,
  schedulersIn,
  schedulesIn,
} from "@ojm/schedule";
import { attendanceOf, type Unattended } from "@ojm/schedule/operator";
import { take } from "./source.js";

/** The schedules of a store, and the living processes that run them. */
export interface Schedules {
  readonly schedules: readonly ScheduleView[];
  readonly schedulers: readonly SchedulerView[];
  /** Why a schedule is unattended; `undefined` if it is not. */
  unattended(schedule: Pick<ScheduleView, "name" | "hash">): Unattended | undefined;
}

/** Reads the schedules and their schedulers. */
export async function readSchedules(manager: JobManager): Promise<Schedules> {
  const [schedules, schedulers] = await Promise.all([
    take(schedulesIn(manager), Number.POSITIVE_INFINITY),
    take(schedulersIn(manager), Number.POSITIVE_INFINITY),
  ]);
  return { schedules, schedulers, unattended: attendanceOf(schedulers) };
}

/** The time zone of a schedule. */
export const zoneOf = ({ timeZone = "UTC" }: CheckedDefinition): string => timeZone;
