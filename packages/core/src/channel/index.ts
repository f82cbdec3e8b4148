export { registerBackend } from "./backend/find-type.js";
export type { Channel, ChannelOps } from "./channel.js";
export type { JsonValue } from "./encoding/json.js";
export { compareVersions } from "./encoding/version.js";
export type { ChannelErrorCode } from "./errors.js";
export { ChannelError, isChannelError } from "./errors.js";
export { openChannel } from "./open.js";
export type {
  CallOptions,
  ChannelConfig,
  CommitResult,
  EntriesOptions,
  Entry,
  FailedCheck,
  InTransaction,
  Key,
  Op,
  OpenOptions,
  Supports,
  Version,
  WatchEvent,
  WatchOptions,
  WriteOptions,
  WriteOutcome,
} from "./types.js";
