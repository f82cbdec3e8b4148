/** The operator's queries and actions on jobs: the code that a program that only runs jobs does not load. */
export { auditOf, pruneAct, pruneAudit, stopRequestOf, stopRequestsOf } from "../jobs/audit.js";
export { failedJobs } from "./failing.js";
export { logOf, progressOf } from "./follow-log.js";
export { checkRange, failedRunsOf, jobNames, selectRecords } from "./history.js";
export { jobSummaries, lastSuccesses, usually } from "./job-summary.js";
export { limitWaiters, permitsIn, setLimit } from "./limits.js";
export { LiveRuns } from "./live-runs.js";
export { endMaintenance, startMaintenance } from "./maintenance.js";
export { nextAttemptOf } from "./next-attempt.js";
export { cancelRun, holdName, unlockName } from "./requests.js";
export { prune, pruneRound } from "./retention.js";
export { RollupQueries } from "./rollups/queries.js";
export { activeRuns, openRecords } from "./running.js";
export { exportAll, RunImport } from "./transfer/transfer.js";
export { waitForEnd } from "./until-closed.js";
export { why } from "./why.js";
