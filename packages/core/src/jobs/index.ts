export { isRunError, RunError, type RunErrorCode } from "./errors.js";
export { JobManager } from "./manager.js";
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
