/** For backend authors: the interface to implement, and the few helpers that every backend needs. */
export type {
  Backend,
  BackendContext,
  BackendType,
  CallOptions,
  Commit,
  CommitOutcome,
  KeyRange,
  ScanPage,
  ScanRequest,
  StoredChange,
  StoredCheck,
  StoredEntry,
  StoredWrite,
  Supports,
  WatchSink,
} from "./channel/backend.js";
export { nearest, rejectUnknownOptions } from "./channel/config.js";
export type { ChannelErrorCode, ChannelErrorDetails } from "./channel/errors.js";
export { ChannelError, isChannelError } from "./channel/errors.js";
export { findType } from "./channel/find-type.js";
export { justAfter, onlyKeyOf } from "./channel/key.js";
export { type Clock, systemClock } from "./clock.js";
export { bootId, type ProcessIdentity, processIdentity, processIsGone, processState } from "./host.js";
export { LINES, visible } from "./visible.js";
