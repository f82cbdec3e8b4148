import type { Channel as OpenedChannel } from "./channel.js";
import type { JsonValue } from "./encoding/json.js";

export { registerBackend } from "./backend/find-type.js";
export type { ChannelOps } from "./channel.js";
export type { JsonValue } from "./encoding/json.js";
export { compareVersions } from "./encoding/version.js";
export type { ChannelErrorCode, ChannelErrorDetails } from "./errors.js";
export { ChannelError, isChannelError } from "./errors.js";
export { openChannel } from "./open.js";
export type {
  CallOptions,
  Change,
  ChannelConfig,
  ChannelLocator,
  CommitResult,
  EntriesOptions,
  Entry,
  FailedCheck,
  Key,
  KeyWatch,
  KeyWatcher,
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

/** Entries of keys and values in a store. {@link openChannel} opens one. */
export type Channel<V = JsonValue> = OpenedChannel<V>;
