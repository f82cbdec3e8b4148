export { isRunError, RunError, type RunErrorCode } from "./errors.js";
export { type JobManager, openJobManager } from "./manager.js";
export type {
  JobManagerOptions,
  Outcome,
  Run,
  RunOptions,
  RunRecord,
  RunStatus,
  Tick,
  UnlockOutcome,
} from "./types.js";
