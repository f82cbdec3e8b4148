/**
 * The state of a store for operators: its problems, its active runs, and what comes next. The command line,
 * the UI and the alerts of ojm use these functions, so that all of them give the same answer.
 */

export { LATE as OVERDUE_AFTER } from "../decide/decide.js";
export { type FollowStoreOptions, followStore, type LiveStore } from "./live.js";
export {
  grouped,
  groupKey,
  type OrphanedCommand,
  PROBLEM_KINDS,
  type Problem,
  type ProblemKind,
  type Retry,
  retriesOf,
  type ScheduleState,
  scheduleState,
} from "./problems.js";
export {
  attendanceIn,
  attendanceOf,
  attendanceText,
  type OverdueTick,
  overdueEntry,
  overdueTicks,
  tickText,
  UNATTENDED,
  type Unattended,
} from "./schedules.js";
export { type SnapshotOptions, type StoreSnapshot, snapshot } from "./snapshot.js";
export {
  concernsQueue,
  isAboutNow,
  type PastReason,
  type TickSource,
  type WhyThenOptions,
  whyRun,
  whyThen,
} from "./why-past.js";
