/** For the other packages of ojm: it may change with any version. Programs and backends do not import it. */

export { nearest, unknownOption } from "./channel/backend/config.js";
export { notBuilt } from "./channel/backend/driver-errors.js";
export { findType } from "./channel/backend/find-type.js";
export { readable, unlessCorrupt } from "./channel/calls/corrupt.js";
export type { ChannelOps } from "./channel/channel.js";
export { channelsAnswer } from "./channel/channels-answer.js";
export { parseStore, placedStore, storeAddress, storeForms, storeWords } from "./channel/store-text.js";
export { both, type Followed, follow } from "./channel/watch/follow.js";
export { DAMAGE_CHECKS, type DamageCheck, type DamagedEntry, damagedEntries } from "./jobs/damaged.js";
export { checkLogBudget } from "./jobs/logs/budget.js";
export type { LogAmount, LogGap } from "./jobs/logs/types.js";
export { argsProblem, checkRetention } from "./jobs/options.js";
export { streakOf, usualOf } from "./jobs/questions/job-summary.js";
export type { LiveRuns } from "./jobs/questions/live/live-runs.js";
export type { LiveRun } from "./jobs/questions/live/types.js";
export { isStatus } from "./jobs/records/read.js";
export { isPending as isPendingRetry } from "./jobs/retry/pending.js";
export { checkRetry, delayAfter, isTriedAgain } from "./jobs/retry/policy.js";
export type { JobRollup, RollupCell } from "./jobs/rollups/types.js";
export type { RunImport } from "./jobs/transfer/import.js";
export type { Exported, ExportedKind, ImportCount } from "./jobs/transfer/types.js";
export type { Act, StartClaim, StartingRun } from "./jobs/types.js";
export { VERSIONS } from "./jobs/versions.js";
export type { Hold, LocksValue } from "./locks/entries/schema.js";
export { holdOf, isSession, keptOf } from "./locks/entries/valid.js";
export { GRACE } from "./locks/grace.js";
export { Breaks } from "./util/breaks.js";
export {
  distanceText,
  durationOf,
  durationProblem,
  elapsedText,
  type InMs,
  parseDuration,
  tookText,
} from "./util/duration.js";
export { isOwn, ownNameProblem } from "./util/own-names.js";
export {
  bootId,
  identityOf,
  type ProcessIdentity,
  processIdentity,
  processIsGone,
  processState,
} from "./util/process-state.js";
export { isSecretName, MASK, maskUrls } from "./util/secrets.js";
export { ojmCommand, optionWord, shellWord } from "./util/shell-word.js";
export { whyUntrusted } from "./util/trusted-file.js";
export { LINES, visible } from "./util/visible.js";
export { emitWarning } from "./util/warning.js";
