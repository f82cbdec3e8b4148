import { ChannelError } from "@ojm/core/backend";

/**
 * The number of the layout: the names below, the text of an entry, and the messages to watches.
 *
 * Each store has a mark with its number (see `LayoutMark` in core). In a Cluster one mark stands for all
 * nodes. `open` reads it along with INFO, and writes check it at most once every 4 s, without waiting. A
 * check in the script of each commit would cost every commit a command.
 *
 * A process of another layout receives no message that it could misread: from layout 2 on, the names under
 * which changes are published have the number. In layout 1 they have none, because processes that know no
 * mark publish so. Scripts need no number: each process sends the text of its own.
 */
export const LAYOUT: number = 1;

/**
 * The channel of an encoded key: the text up to the first space. The rest is its key in the channel.
 *
 * @throws ChannelError `INVALID_KEY` if the key has no space
 */
export function channelOf(key: string): string {
  const end = key.indexOf(" ");
  if (end < 0) throw new ChannelError("INVALID_KEY", `the key ${JSON.stringify(key)} names no channel`);
  return key.slice(0, end);
}

/** The names of everything that this backend stores in Redis. See scripts.ts for the list. */
export class Names {
  readonly #prefix: string;
  readonly #versionPerChannel: boolean;
  /**
   * The suffix of the names under which changes are published: the layout and the database. The databases of
   * a server have separate keys, but share the published messages: without it, a lock that is taken in one
   * would look stolen in another.
   */
  readonly suffix: string;
  /** The length of the prefix in Redis. */
  readonly prefixBytes: number;
  /** The beginning of the names of a channel's entries. */
  readonly #heads: Map<string, string> = new Map();

  constructor(prefix: string, versionPerChannel: boolean, database = 0, layout: number = LAYOUT) {
    this.suffix = (layout === 1 ? "" : ` v${layout}`) + (database === 0 ? "" : ` ${database}`);
    this.#prefix = prefix;
    this.prefixBytes = Buffer.byteLength(prefix);
    this.#versionPerChannel = versionPerChannel;
  }

  /** The set of keys of a channel, and the name under which its changes are published. */
  index(channel: string): string {
    return `${this.#prefix}{${tag(channel)}}`;
  }

  /** The name of the text of an entry, by its encoded key. Its changes are published under it too. */
  entry(key: string): string {
    const channel = channelOf(key);
    let head = this.#heads.get(channel);
    if (head === undefined) {
      // A program has a few channels. A program that creates ever new names must not fill the memory.
      if (this.#heads.size >= 1_000) this.#heads.clear();
      head = `${this.index(channel)}:`;
      this.#heads.set(channel, head);
    }
    return head + key.slice(channel.length + 1);
  }

  /** The pattern of the names of all entries whose encoded keys begin with this text, for PSUBSCRIBE. */
  entriesPattern(text: string): string {
    return `${this.entry(text).replace(/[*?[\]\\]/g, "\\$&")}*${this.suffix}`;
  }

  /** The key that holds the layout of the store. */
  get layout(): string {
    return `${this.#prefix}layout`;
  }

  /** The key that holds the last version given out. */
  version(channel: string): string {
    return this.#versionPerChannel ? `${this.index(channel)}.version` : `${this.#prefix}version`;
  }
}

// A Cluster places a key by the text in its first pair of braces. A brace in the name of a channel would end
// that text too early, and spread the channel's entries over the nodes.
function tag(channel: string): string {
  return /[%{}]/.test(channel) ? channel.replace(/[%{}]/g, encodeURIComponent) : channel;
}

/** Whether the prefix has a hash tag, as in `{shop}:`: all its names are on one node of a Cluster. */
export function hasHashTag(prefix: string): boolean {
  return /^[^{]*\{[^}]+\}/.test(prefix);
}

/** Compares two strings by their UTF-8 bytes. JavaScript's `<` puts U+FF00 above U+10000. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [one, other] = [a.charCodeAt(i), b.charCodeAt(i)];
    // For each change of the store, every watch compares keys that have a long text in common.
    if (one !== other) return weight(one) - weight(other);
  }
  return a.length - b.length;
}

/** Surrogates represent code points above all other characters. */
function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
