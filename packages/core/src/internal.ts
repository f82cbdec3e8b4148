/** For the other packages of ojm: it may change with any version. Programs and backends do not import it. */

export { nearest, unknownOption } from "./channel/backend/config.js";
export { notBuilt } from "./channel/backend/driver-errors.js";
export { findType } from "./channel/backend/find-type.js";
export { JoinedCommit } from "./channel/backend/joined-commit.js";
export { inBackground } from "./channel/calls.js";
export type { ChannelOps } from "./channel/channel.js";
export { entriesUnlessCorrupt, readable, unlessCorrupt } from "./channel/corrupt.js";
export { encodeValue, isStorable, sameJson } from "./channel/encoding/json.js";
export { knownValue } from "./channel/encoding/prepared.js";
export { channelsAnswer, channelsProblem } from "./channel/open.js";
export { parseStore, placedStore, shownStore, storeAddress, storeForms, storeWords } from "./channel/store-text.js";
export { both, type Followed, follow, UpToDate } from "./channel/watch/follow.js";
export { storedLockKey } from "./jobs/channels.js";
export { checkLogBudget } from "./jobs/logs/logs.js";
export type { LogAmount, LogGap } from "./jobs/logs/types.js";
export {
  isMaintenanceValue,
  KnownMaintenance,
  MAINTENANCE,
  type MaintenanceValue,
  maintenanceIn,
  maintenanceOf,
  maintenanceText,
} from "./jobs/maintenance.js";
export { onceKeyOf, onceLock } from "./jobs/once-lock.js";
export {
  argsProblem,
  checkOnceCall,
  checkRetention,
  checkRunOptions,
  lockProblem,
  permitsProblem,
  rateProblem,
} from "./jobs/options.js";
export { runIdOf } from "./jobs/records/orphans.js";
export { endVerb, hasEnded, isStatus } from "./jobs/records/read.js";
export { isPending as isPendingRetry } from "./jobs/retry/pending.js";
export { checkRetry, delayAfter, isPolicy as isRetryPolicy, isTriedAgain } from "./jobs/retry/policy.js";
export { limitsText } from "./jobs/run/permits.js";
export type { AuditAction, StartClaim, StartingRun } from "./jobs/types.js";
export type { Hold, LocksValue } from "./locks/entries/schema.js";
export { holdOf, isHolder, isProcess, isSession } from "./locks/entries/valid.js";
export { GRACE } from "./locks/grace.js";
export { VERSIONS } from "./locks/versions.js";
export type { DamageCheck, DamagedEntry } from "./operator/damaged.js";
export { recordAt } from "./operator/history.js";
export type { ActiveRun, LiveRuns } from "./operator/live-runs.js";
export type { JobRollup, RollupCell } from "./operator/rollups/types.js";
export type { Exported, ExportedKind, RunImport } from "./operator/transfer/transfer.js";
export { firstOf, pause, reasonText, whenAborted } from "./util/abort.js";
export { restBy } from "./util/clock.js";
export {
  distanceText,
  durationOf,
  durationProblem,
  elapsedText,
  type InMs,
  parseDuration,
  tookText,
} from "./util/duration.js";
export { atMost, Breaks, InFlight } from "./util/event-loop.js";
export { EventChannel } from "./util/events.js";
export { hash32, mixed32 } from "./util/hash.js";
export { type ImportCount, ImportCounter } from "./util/import-count.js";
export { all, first, type Items, inBatches } from "./util/iterate.js";
export { isPattern, matchesName } from "./util/names.js";
export { isOwn, ownNameProblem } from "./util/own-names.js";
export {
  bootId,
  identityOf,
  type ProcessIdentity,
  processIdentity,
  processIsGone,
  processState,
} from "./util/process-state.js";
export { Semaphore } from "./util/semaphore.js";
export { type Fields, fieldsOf, isCount, isId, isMap, isOptional, isText, isTime, present } from "./util/shape.js";
export { elapsedSince, startAfter, startMs } from "./util/start-time.js";
export {
  isSecretName,
  LINES,
  MASK,
  maskUrls,
  ojmCommand,
  optionWord,
  shellWord,
  valueText,
  visible,
} from "./util/text.js";
export { whyUntrusted, whyUntrustedModule } from "./util/trusted-file.js";
export { emitWarning, explanationOf } from "./util/warning.js";
