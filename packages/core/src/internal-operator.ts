/** The operator's part of `@ojm/core/internal`: programs that only run jobs do not load it. */

export { FORMAT, formatOf } from "./jobs/format.js";
export { DAMAGE_CHECKS, damagedEntries } from "./operator/damaged.js";
export { streakOf, summaryOf, usualOf } from "./operator/job-summary.js";
export { LiveRuns } from "./operator/live-runs.js";
export { cancelUnder, runsUnder } from "./operator/maintenance.js";
export { HOLD_TIME } from "./operator/requests.js";
export { type LockToTake, lockToTake } from "./operator/take-lock.js";
export { slowdownOf, type Trend, type Trends, trendsOf } from "./operator/trend.js";
export { alignLogs, differingSteps, MOST_COMPARED, withoutVarying } from "./util/compare-logs.js";
