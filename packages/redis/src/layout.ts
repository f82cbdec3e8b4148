import { ChannelError } from "@ojm/core/backend";

/** Where an entry lives: its channel's set of keys, and its key in there. */
export interface Place {
  readonly channel: string;
  readonly member: string;
}

/** The channel of an encoded key (its text up to the first space) and the rest. */
export function placeOf(key: string): Place {
  const end = key.indexOf(" ");
  if (end < 0) throw new ChannelError("INVALID_KEY", `the key ${JSON.stringify(key)} names no channel`);
  return { channel: key.slice(0, end), member: key.slice(end + 1) };
}

/** The names of everything that this backend keeps in Redis. See scripts.ts for the list. */
export class Names {
  readonly #prefix: string;
  readonly #versionPerChannel: boolean;
  /**
   * What stands behind the names under which changes are published. The databases of a server have their keys
   * to themselves, but hear each other: a lock that is taken in one must not look stolen in another.
   */
  readonly database: string;

  constructor(prefix: string, versionPerChannel: boolean, database = 0) {
    this.database = database === 0 ? "" : ` ${database}`;
    this.#prefix = prefix;
    this.#versionPerChannel = versionPerChannel;
  }

  /** The set of keys of a channel, and the name under which its changes are published. */
  index(channel: string): string {
    return `${this.#prefix}{${tag(channel)}}`;
  }

  /**
   * The text that holds an entry, and the name under which its changes are published once more, for those who
   * watch it alone.
   */
  entry({ channel, member }: Place): string {
    return `${this.#prefix}{${tag(channel)}}:${member}`;
  }

  /** The last version given out. */
  version(channel: string): string {
    return this.#versionPerChannel ? `${this.index(channel)}.version` : `${this.#prefix}version`;
  }
}

// A Cluster places a key by what stands in its first pair of braces. A brace in the name of a channel would
// end that too early, and its entries would be spread over the nodes.
function tag(channel: string): string {
  return /[%{}]/.test(channel) ? channel.replace(/[%{}]/g, encodeURIComponent) : channel;
}

/**
 * Whether all names with this prefix live on one node of a Cluster: it has a hash tag of its own, `{shop}:`.
 */
export function hasHashTag(prefix: string): boolean {
  return /^[^{]*\{[^}]+\}/.test(prefix);
}

/**
 * Order of two strings by their UTF-8 bytes. JavaScript's `<` goes by UTF-16 and puts U+FF00 above U+10000.
 */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = weight(a.charCodeAt(i)) - weight(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Surrogates stand for what lies above all other characters. */
function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
