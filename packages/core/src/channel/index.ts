export { Channel } from "./channel.js";
export type { ChannelErrorCode, ChannelErrorDetails } from "./errors.js";
export { ChannelError, isChannelError } from "./errors.js";
export { registerBackend } from "./find-type.js";
export type { JsonValue } from "./json.js";
export { openChannel } from "./open.js";
export type {
  CallOptions,
  ChannelConfig,
  CommitResult,
  EntriesOptions,
  Entry,
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
export type { Subscriber } from "./verbs.js";
export { compareVersions } from "./version.js";
