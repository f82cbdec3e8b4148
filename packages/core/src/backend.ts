/** For backend authors: the interface to implement, and the few helpers that every backend needs. */

export type {
  Backend,
  BackendContext,
  BackendType,
  CallOptions,
  Commit,
  CommitOutcome,
  KeyRange,
  LogBudget,
  ScanPage,
  ScanRequest,
  StoredChange,
  StoredCheck,
  StoredEntry,
  StoredWrite,
  Supports,
  WatchSink,
} from "./channel/backend/backend.js";
export { nearest, rejectUnknownOptions, unknownOption } from "./channel/backend/config.js";
export { notBuilt } from "./channel/backend/driver-errors.js";
export { findType } from "./channel/backend/find-type.js";
export { readable, unlessCorrupt } from "./channel/calls/corrupt.js";
export { channelsAnswer } from "./channel/channels-answer.js";
export { justAfter, onlyKeyOf } from "./channel/encoding/key.js";
export {
  type PlacedStore,
  parseStore,
  placedStore,
  STORE_FORMS,
  shownStore,
  storeAddress,
  storeWords,
} from "./channel/store-text.js";
export type { ChannelErrorCode, ChannelErrorDetails } from "./channel/errors.js";
export { ChannelError, isChannelError } from "./channel/errors.js";
export { DAMAGE_CHECKS, type DamageCheck, type DamagedEntry, damagedEntries } from "./jobs/damaged.js";
export { checkLogBudget } from "./jobs/logs/budget.js";
export { argsProblem, checkRetention } from "./jobs/options.js";
export type { Hold } from "./locks/entries/schema.js";
export { holdOf, isSession } from "./locks/entries/valid.js";
export { GRACE } from "./locks/grace.js";
export { Breaks } from "./util/breaks.js";
export { type Clock, systemClock } from "./util/clock.js";
export {
  ABOVE_ZERO,
  checkedDuration,
  type Duration,
  distanceText,
  durationOf,
  durationProblem,
  durationText,
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
export { emitWarning, type WarningCode } from "./util/warning.js";
