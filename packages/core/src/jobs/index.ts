export { isRunError, RunError, type RunErrorCode } from "./errors.js";
export type { Events } from "./events.js";
export type { LogItem, LogLine, LogOptions, Progress, RunLog } from "./logs/types.js";
export { type JobManager, openJobManager } from "./manager.js";
export { parseRunId, type RunRef, runId } from "./run-id.js";
export type {
  AuditEntry,
  CancelOptions,
  CancelOutcome,
  EndedBy,
  EndMaintenanceOptions,
  HistoryOptions,
  HoldOptions,
  JobManagerOptions,
  JobSummary,
  Maintenance,
  MaintenanceOptions,
  OnceCallOptions,
  OnceOptions,
  OnceOutcome,
  Outcome,
  PendingRetry,
  PruneOptions,
  PruneOutcome,
  RateOptions,
  RateTerms,
  Reason,
  RetentionOptions,
  RetryOptions,
  RetryPolicy,
  Run,
  RunOptions,
  RunRecord,
  RunStatus,
  Tick,
  UnlockOptions,
  UnlockOutcome,
} from "./types.js";
