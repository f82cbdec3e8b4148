/** The operator's queries and actions on jobs: the code that a program that only runs jobs does not load. */
export { auditOf, pruneAct, pruneAudit, stopAskedOf, stopsAskedOf } from "../jobs/audit.js";
export { failing } from "./failing.js";
export { logOf, progressOf } from "./follow-log.js";
export { checkRange, failuresOf, names, selectRecords } from "./history.js";
export { jobSummaries, lastSuccesses, usually } from "./job-summary.js";
export { nextAttemptOf } from "./next-attempt.js";
export { cancelRun, holdName, unlockName } from "./requests.js";
export { prune, retain, setRetention } from "./retention.js";
export { RollupQuestions } from "./rollups/question.js";
export { liveRunsOnce, running } from "./running.js";
export { exportAll } from "./transfer/export.js";
export { waitForEnd } from "./until-closed.js";
export { why } from "./why.js";
