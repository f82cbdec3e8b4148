import type { Channel } from "../../channel/channel.js";
import type { Key, KeyWatch } from "../../channel/types.js";

/**
 * Watches the entry of an attempt that waits: a cancel from another process removes it, and the program that
 * waits must not learn of that only when the attempt is due, which may be hours later. A store that cannot be
 * watched tells nothing.
 */
export class PendingWatch {
  readonly #watch: KeyWatch | undefined;
  #change: AbortController = new AbortController();

  constructor(channel: Channel<unknown>, key: Key) {
    if (!channel.supports.watch) return;
    const notice = (): void => this.#change.abort();
    this.#watch = channel.watchKey(key, { changed: notice, gap: notice, failed() {} });
    // What changed before the watch was there is told by no change.
    this.#watch.ready.then(notice, () => {});
  }

  /** Fires when the entry may have changed. */
  get changed(): AbortSignal {
    return this.#change.signal;
  }

  /** From now on, `changed` fires at the next change. Call it before the entry is read. */
  again(): void {
    this.#change = new AbortController();
  }

  stop(): void {
    this.#watch?.stop();
  }
}
