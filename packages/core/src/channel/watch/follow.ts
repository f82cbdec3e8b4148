import type { Clock } from "../../util/clock.js";
import type { Channel } from "../channel.js";
import { readable } from "../corrupt.js";
import { isChannelError } from "../errors.js";
import type { Entry, Key, Version } from "../types.js";

/** The interval at which a store without watches is polled, in ms. */
const POLL = 5_000;

/** The pause before an unreachable store is read again, in ms. */
export const RETRY_PAUSE = 1_000;

/** The callbacks of a follower. */
export interface Followed<V> {
  /**
   * What is known is outdated until {@link Followed.synced}: changes may have been missed, and a snapshot
   * follows once the store answers. An entry that has not changed is not put again.
   */
  begun?(): void;
  /** `value`: `undefined` if the entry cannot be decoded. `expiresIn`: as {@link Entry.expiresIn}. */
  put(key: Key, value: V | undefined, version: Version, expiresIn: number | undefined): void;
  gone(key: Key): void;
  /** All existing entries were put. */
  synced(): void;
}

/**
 * Follows the entries under a prefix and all their changes, until `signal` fires. Retries while the store is
 * away, and reports entries that disappeared during a gap. Resolves when all entries were put for the first
 * time.
 *
 * `failed`: called with a permanent error, after which nothing more is reported. That the store has no
 * watches is such an error. Without `failed`, a store without watches is polled, and every error of the store
 * is retried until the channel is closed.
 */
export function follow<V>(
  channel: Channel<V>,
  clock: Clock,
  prefix: Key,
  followed: Followed<V>,
  signal: AbortSignal,
  failed?: (error: unknown) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const keys = new Known<V>({
      begun: () => followed.begun?.(),
      put: (key, value, version, expiresIn) => followed.put(key, value, version, expiresIn),
      gone: (key) => followed.gone(key),
      synced: () => {
        followed.synced();
        resolve();
      },
    });
    const round = channel.supports.watch || failed !== undefined ? watched : looked;
    const begin = (): void => {
      round(channel, prefix, keys, signal).then(
        () => later(POLL),
        (error: unknown) => {
          const isOver = !isChannelError(error) || error.code === "CLOSED";
          if (!isOver && (error.retryable || failed === undefined)) {
            keys.begin();
            return later(RETRY_PAUSE);
          }
          reject(error);
          if (!signal.aborted) failed?.(error);
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

/** The keys that were put, so that keys missing from a new snapshot can be reported as gone. */
class Known<V> {
  readonly #followed: Followed<V>;
  /** The version of each key, by its JSON. No entries: a process may follow ten thousand. */
  readonly #versions: Map<string, Version> = new Map();
  #seen: Set<string> | undefined;

  constructor(followed: Followed<V>) {
    this.#followed = followed;
  }

  begin(): void {
    const isOutdated = this.#seen !== undefined;
    this.#seen = new Set();
    if (!isOutdated) this.#followed.begun?.();
  }

  put({ key, value, version, expiresIn }: Pick<Entry<V | undefined>, "key" | "value" | "version" | "expiresIn">): void {
    const id = JSON.stringify(key);
    this.#seen?.add(id);
    if (this.#versions.get(id) === version) return;
    this.#versions.set(id, version);
    this.#followed.put(key, value, version, expiresIn);
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
    // The event may have been on its way when the signal fired.
    if (signal.aborted) return;
    if (event.type === "put") known.put(event.entry);
    else if (event.type === "delete") known.gone(event.key);
    else if (event.type === "gap") known.begin();
    else known.synced();
  }
}

async function looked<V>(channel: Channel<V>, prefix: Key, known: Known<V>, signal: AbortSignal): Promise<void> {
  known.begin();
  for await (const entry of readable(channel, { prefix, signal })) known.put(entry);
  known.synced();
}

/** Whether followers are up to date: none of them is between {@link Followed.begun} and synced. */
export class UpToDate {
  readonly #outdated: Set<object> = new Set();
  #waiting: (() => void)[] = [];

  begun(follower: object): void {
    this.#outdated.add(follower);
  }

  synced(follower: object): void {
    this.#outdated.delete(follower);
    if (this.#outdated.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves once all of them are, at once if they are. */
  wait(): Promise<void> {
    if (this.#outdated.size === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }
}

/** Reports everything to two followers. */
export function both<V>(one: Followed<V>, two: Followed<V>): Followed<V> {
  return {
    begun: () => {
      one.begun?.();
      two.begun?.();
    },
    put: (key, value, version, expiresIn) => {
      one.put(key, value, version, expiresIn);
      two.put(key, value, version, expiresIn);
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
