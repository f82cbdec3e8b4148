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
export { rejectUnknownOptions } from "./channel/backend/config.js";
export { LayoutMark, refuseNewerLayout, type StoreLayout } from "./channel/backend/layout.js";
export { justAfter, onlyKeyOf } from "./channel/encoding/key.js";
export type { ChannelErrorCode, ChannelErrorDetails } from "./channel/errors.js";
export { ChannelError, isChannelError } from "./channel/errors.js";
export { type Clock, systemClock } from "./util/clock.js";
export { checkedDuration, type Duration, durationText } from "./util/duration.js";
