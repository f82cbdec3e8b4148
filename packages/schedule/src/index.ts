/**
 * Schedules: when jobs are due, and a scheduler that runs them, each tick once across any number of machines.
 */
export { cronSchedule } from "./calendar/cron.js";
export { onceForTick } from "./calendar/last-tick.js";
export {
  intervalSchedule,
  isScheduleError,
  type Schedule,
  ScheduleError,
  type ScheduleErrorCode,
} from "./calendar/schedule.js";
export {
  type NextTick,
  type OverdueTicks,
  type SchedulerView,
  type ScheduleSummary,
  type ScheduleView,
  schedulersIn,
  schedulesIn,
} from "./control/overview.js";
export type { PauseOptions, ResumeOptions } from "./control/pause.js";
export type { Backfill, BackfillOptions, BackfillProgress, RunNowOptions, StopOptions } from "./control/requests.js";
export { type DecidedTick, type ScheduleTick, scheduleDamage, type TicksOptions } from "./control/ticks.js";
export type { ScheduleReason } from "./control/why.js";
export { whyBackfilled, whyNotRun } from "./decide/outcomes.js";
export { checkDefinition } from "./definition/check.js";
export type { Blackout, CheckedDefinition, Missed, Overlap, ScheduleDefinition } from "./definition/types.js";
export { wordsOf } from "./definition/words.js";
export type { Body } from "./fire/start.js";
export { openScheduler, type Scheduler, type SchedulerOptions } from "./scheduler.js";
export type { Pause, TickOutcome, TickReason } from "./store/schema.js";
export {
  type ExportedSchedule,
  type ExportedSchedulePart,
  type ExportedTick,
  exportedSchedules,
  openScheduleImport,
  type ScheduleExportOptions,
  type ScheduleImport,
  type ScheduleImportCounts,
} from "./transfer/transfer.js";
