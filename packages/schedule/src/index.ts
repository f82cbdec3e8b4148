/** Schedules: when jobs are due, and a scheduler that runs them, each tick once on however many machines. */
export { cronSchedule } from "./calendar/cron.js";
export { intervalSchedule } from "./calendar/interval.js";
export { isScheduleError, type Schedule, ScheduleError, type ScheduleErrorCode } from "./calendar/schedule.js";
export { type Due, Timetable } from "./calendar/timetable.js";
export type { Backfill, BackfillOptions, RunNowOptions } from "./control/ask.js";
export type { ScheduleSummary } from "./control/list.js";
export type { NextTick } from "./control/next.js";
export {
  type OverdueTicks,
  type SchedulerView,
  type ScheduleView,
  schedulersIn,
  schedulesIn,
} from "./control/overview.js";
export type { PauseOptions } from "./control/pause.js";
export type { ScheduleTick, TicksOptions } from "./control/ticks.js";
export { type FollowOptions, followSchedules } from "./control/watch.js";
export type { ScheduleReason } from "./control/why.js";
export { checkDefinition } from "./definition/check.js";
export type { Blackout, Missed, Overlap, ScheduleDefinition } from "./definition/types.js";
export { wordsOf } from "./definition/words.js";
export type { Body } from "./fire/host.js";
export { Scheduler, type SchedulerOptions } from "./scheduler.js";
export type { Pause, TickOutcome, TickReason } from "./store/schema.js";
