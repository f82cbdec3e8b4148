export type { ActAnswer, ActRequest } from "../../../src/contract/acts.js";
export type { Audit, AuditEntry } from "../../../src/contract/audit.js";
export type { ActName, HolderView, Status, WaiterView } from "../../../src/contract/common.js";
export type { Events } from "../../../src/contract/events.js";
export type { Job, JobDetail, Jobs, ReasonView, Why, Zones } from "../../../src/contract/jobs.js";
export type { HoldView, InstanceView, Locks, LockView, SchedulerItem } from "../../../src/contract/locks.js";
export type {
  Now,
  Problem,
  ProgressView,
  RetryView,
  Running,
  StopRequest,
  TickView,
} from "../../../src/contract/now.js";
export type { LogItem, LogPage, RunDetail, RunItem, RunPage, Runs } from "../../../src/contract/runs.js";
export type { Me, Role } from "../../../src/contract/session.js";
export type { Bar, Counts, Lane, Timeline } from "../../../src/contract/timeline.js";
