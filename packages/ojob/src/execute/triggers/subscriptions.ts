import type { Channel } from "@ojm/core";
import { JobError } from "../runtime/job-error.js";
import { type ChangeHandler, ChannelFollower } from "./channel-follower.js";

/** The channels that jobs of type `subscribe` follow. */
export class Subscriptions {
  readonly #stop = new AbortController();
  readonly #followers = new Map<ChannelFollower, Channel>();

  /**
   * Hands on the entries of a channel, and then its changes; with `onlyFromNow` the changes alone. Resolves
   * once it follows the channel. `onFailure` is called if the store fails later: no further change will come.
   */
  async follow(
    channel: Channel,
    handler: ChangeHandler,
    onFailure: (error: JobError) => void,
    { onlyFromNow = false }: { readonly onlyFromNow?: boolean | undefined } = {},
  ): Promise<void> {
    const follower = new ChannelFollower(channel, handler, this.#stop.signal);
    let live = false;
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        live = true;
        this.#followers.set(follower, channel);
        resolve();
      };
      // It also resolves if a stop comes first: then it follows nothing.
      follower.follow(onlyFromNow, begin).then(resolve, (cause: Error) => {
        if (!live) return reject(cause);
        onFailure(new JobError(`"${channel.name}" is followed no more: ${cause.message}`, { cause }));
      });
    });
  }

  /**
   * Resolves when all entries and all earlier changes were handled: a watch that begins now reports them
   * first. True if there were any, for their jobs may have made others.
   */
  async catchUp(): Promise<boolean> {
    let any = false;
    for (const [follower, channel] of this.#followers) {
      const before = follower.told;
      // If the store fails, so does the watch that follows the channel, and that one reports it.
      await synced(channel, this.#stop.signal).catch(() => {});
      await follower.idle();
      any ||= follower.told > before;
    }
    return any;
  }

  /** Follows no channel any more. */
  close(): void {
    this.#stop.abort();
    this.#followers.clear();
  }
}

async function synced(channel: Channel, signal: AbortSignal): Promise<void> {
  for await (const event of channel.watch({ signal })) if (event.type === "synced") return;
}
