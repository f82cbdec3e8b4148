import { type Channel, type Clock, isChannelError, type Key, type Version } from "@ojm/core";
import { readable } from "@ojm/core/internal";

/** How often a store without watches is looked at, in ms. */
const LOOK = 5_000;

/** The pause before a watch that ended is begun again, in ms. */
const AGAIN = 1_000;

/** What a follower hears of. */
export interface Followed<V> {
  /** `undefined`: the entry cannot be decoded. */
  put(key: Key, value: V | undefined, version: Version): void;
  gone(key: Key): void;
  /** All entries that there are were told. */
  synced(): void;
}

/**
 * Tells the entries under a prefix, and every change of them, until `signal` fires. A store that is away is
 * waited for. Resolves when all entries were told for the first time.
 */
export function follow<V>(
  channel: Channel<V>,
  clock: Clock,
  prefix: Key,
  followed: Followed<V>,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const keys = new Known<V>({
      put: (key, value, version) => followed.put(key, value, version),
      gone: (key) => followed.gone(key),
      synced: () => {
        followed.synced();
        resolve();
      },
    });
    const round = channel.supports.watch ? watched : looked;
    const begin = (): void => {
      round(channel, prefix, keys, signal).then(
        () => later(LOOK),
        (error: unknown) => {
          if (!isChannelError(error) || error.code === "CLOSED") reject(error);
          else later(AGAIN);
        },
      );
    };
    const later = (ms: number): void => {
      if (signal.aborted) resolve();
      else clock.after(ms, begin);
    };
    begin();
  });
}

/** The keys that were told, so that those that a new snapshot lacks can be told as gone. */
class Known<V> {
  readonly #followed: Followed<V>;
  /** The versions by the texts of the keys: a process may follow ten thousand. */
  readonly #versions: Map<string, Version> = new Map();
  #seen: Set<string> | undefined = new Set();

  constructor(followed: Followed<V>) {
    this.#followed = followed;
  }

  /** A snapshot follows. */
  begin(): void {
    this.#seen = new Set();
  }

  put(key: Key, value: V | undefined, version: Version): void {
    const id = JSON.stringify(key);
    this.#seen?.add(id);
    if (this.#versions.get(id) === version) return;
    this.#versions.set(id, version);
    this.#followed.put(key, value, version);
  }

  gone(key: Key): void {
    if (this.#versions.delete(JSON.stringify(key))) this.#followed.gone(key);
  }

  synced(): void {
    for (const id of [...this.#versions.keys()]) if (this.#seen?.has(id) === false) this.gone(JSON.parse(id) as Key);
    this.#seen = undefined;
    this.#followed.synced();
  }
}

async function watched<V>(channel: Channel<V>, prefix: Key, known: Known<V>, signal: AbortSignal): Promise<void> {
  known.begin();
  for await (const event of channel.watchReadable({ prefix, signal, keepAlive: false })) {
    if (event.type === "put") known.put(event.entry.key, event.entry.value, event.entry.version);
    else if (event.type === "delete") known.gone(event.key);
    else if (event.type === "gap") known.begin();
    else known.synced();
  }
}

async function looked<V>(channel: Channel<V>, prefix: Key, known: Known<V>, signal: AbortSignal): Promise<void> {
  known.begin();
  for await (const { key, value, version } of readable(channel, { prefix, signal })) known.put(key, value, version);
  known.synced();
}

/** Tells two of what is followed. */
export function both<V>(one: Followed<V>, two: Followed<V>): Followed<V> {
  return {
    put: (key, value, version) => {
      one.put(key, value, version);
      two.put(key, value, version);
    },
    gone: (key) => {
      one.gone(key);
      two.gone(key);
    },
    synced: () => {
      one.synced();
      two.synced();
    },
  };
}
