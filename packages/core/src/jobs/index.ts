import type { JobManager as OpenedManager } from "./manager.js";
import type { LiveRuns as FollowedRuns } from "./questions/live/live-runs.js";
import type { RunImport as OpenedImport } from "./transfer/import.js";

export type { LogBudget } from "../channel/backend/backend.js";
export type { StoreGoneEvent } from "../channel/backend/gone.js";
export { isRunError, RunError, type RunErrorCode } from "./errors.js";
export type { AttemptFailedEvent, Events, RunCallingEvent, RunEvent } from "./events.js";
export type { LogBudgetOptions } from "./logs/budget.js";
export type { LogChunk } from "./logs/chunk.js";
export type {
  LogAmount,
  LogDroppedEvent,
  LogGap,
  LogItem,
  LogLevel,
  LogLine,
  LogOptions,
  LogProgress,
  LogStream,
  Progress,
  RunLog,
} from "./logs/types.js";
export { openJobManager } from "./manager.js";
export { streakOf } from "./questions/job-summary.js";
export type { LiveLease, LiveOptions, LiveRun, LiveSession } from "./questions/live/types.js";
export { checkRetry, delayAfter, isTriedAgain } from "./retry/policy.js";
export type { JobRollup, RollupCell, Rollups, RollupsOptions } from "./rollups/types.js";
export { parseRunId, type RunRef, runId } from "./run-id.js";
export type {
  Exported,
  ExportedAudit,
  ExportedKind,
  ExportedLog,
  ExportedProgress,
  ExportOptions,
  ImportCount,
  NotExported,
} from "./transfer/types.js";
export type {
  Act,
  AuditEntry,
  AuditOptions,
  CancelOptions,
  CancelOutcome,
  EndedBy,
  FailuresOptions,
  HistoryOptions,
  HoldOptions,
  JobManagerOptions,
  JobSummary,
  OnceOptions,
  Outcome,
  PendingRetry,
  PruneOptions,
  PruneOutcome,
  Reason,
  RetentionOptions,
  RetryOptions,
  RetryPolicy,
  Run,
  RunOptions,
  RunRecord,
  RunStatus,
  StartClaim,
  StartingRun,
  TakeOverOptions,
  Tick,
  UnlockOptions,
  UnlockOutcome,
} from "./types.js";
export { VERSIONS } from "./versions.js";

/** Runs jobs by name, and keeps a record of every run. {@link openJobManager} opens one. */
export type JobManager = OpenedManager;

/** The runs that go on, kept up to date by watches. `manager.live()` opens it. */
export type LiveRuns = FollowedRuns;

/** Writes what another store exported. `manager.importer()` makes one. */
export type RunImport = OpenedImport;
