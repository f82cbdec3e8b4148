import { ChannelError, type KeyRange, onlyKeyOf } from "@ojm/core/backend";
import { channelOf, compareBytes } from "../layout.js";

/** A range of keys of one channel. */
export interface ChannelRange {
  readonly channel: string;
  /** The key, if the range holds no other. */
  readonly only: string | undefined;
  /** The text of the first part of the keys, if the range is all keys that begin with it, and no other. */
  readonly firstPart: string | undefined;
  /** Whether the range contains this encoded key. */
  contains(key: string): boolean;
}

/** A range of keys of one channel, in the syntax of ZRANGE BYLEX. */
export interface LexRange {
  readonly channel: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Converts a range to a range of its channel.
 *
 * @throws ChannelError `INVALID_ARGUMENT` for a range that reaches into other channels
 */
export function rangeOf(range: KeyRange): ChannelRange {
  const { from, to } = range;
  const channel = channelOf(from);
  // "!" comes right after the space that ends the name.
  if (compareBytes(to, `${channel}!`) > 0) {
    throw new ChannelError("INVALID_ARGUMENT", `the range from ${JSON.stringify(from)} reaches beyond its channel`);
  }
  const part = from.slice(channel.length + 1);
  const isPrefix = part.endsWith(" ") && to === `${from.slice(0, -1)}!`;
  return {
    channel,
    only: onlyKeyOf(range),
    // The second space of a key ends its first part.
    firstPart: isPrefix && part.indexOf(" ") === part.length - 1 ? part : undefined,
    // Each message of a watch is compared, and most watches are of a prefix.
    contains: isPrefix
      ? (key) => key.startsWith(from)
      : (key) => compareBytes(from, key) <= 0 && compareBytes(key, to) < 0,
  };
}

export function lexRangeOf(range: KeyRange): LexRange {
  const { channel } = rangeOf(range);
  const start = `${channel} `;
  const { from, to } = range;
  const upper = to.startsWith(start) ? `(${to.slice(start.length)}` : compareBytes(to, start) > 0 ? "+" : "-";
  return { channel, from: `[${from.slice(start.length)}`, to: upper };
}
