import type { Channel } from "@ojm/core";
import { JobError } from "./error.js";
import { Follower, type Subscriber } from "./follower.js";

/** The channels that jobs of type `subscribe` follow. */
export class Subscriptions {
  readonly #stop = new AbortController();
  readonly #followers = new Map<Follower, Channel>();

  /** Follows the changes of a channel from now on. Resolves when it does. `onFailure`: nothing more will come, the store failed. */
  async follow(channel: Channel, subscriber: Subscriber, onFailure: (error: JobError) => void): Promise<void> {
    const follower = new Follower(channel, subscriber, this.#stop.signal);
    let live = false;
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        live = true;
        this.#followers.set(follower, channel);
        resolve();
      };
      follower.follow(begin).catch((cause: Error) => {
        if (!live) return reject(cause);
        onFailure(new JobError(`"${channel.name}" is followed no more: ${cause.message}`, { cause }));
      });
    });
  }

  /**
   * Resolves when all changes that were made before are told: a watch that begins now comes behind them. True if there were any: what
   * they started may have made others.
   */
  async catchUp(): Promise<boolean> {
    let any = false;
    for (const [follower, channel] of this.#followers) {
      const before = follower.told;
      // If the store fails, so does the watch that follows the channel: there it is told.
      await synced(channel, this.#stop.signal).catch(() => {});
      await follower.idle();
      any ||= follower.told > before;
    }
    return any;
  }

  /** Follows nothing any more. */
  close(): void {
    this.#stop.abort();
    this.#followers.clear();
  }
}

async function synced(channel: Channel, signal: AbortSignal): Promise<void> {
  for await (const event of channel.watch({ signal })) if (event.type === "synced") return;
}
