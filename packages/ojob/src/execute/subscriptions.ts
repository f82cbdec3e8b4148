import { type Channel, compareVersions, type Version } from "@ojm/core";
import { JobError } from "./error.js";

/** A change of a channel, as the args of the job that it starts. */
export type Change = {
  readonly ch: string;
  readonly op: "set" | "unset";
  readonly k: unknown;
  /** The new value of a `set`. */
  readonly v?: unknown;
};

/** What is made of the changes. */
export interface Subscriber {
  /** Called for each change, in their order. */
  readonly onChange: (change: Change) => void;
  /** Nothing more will come: the store failed. */
  readonly onFailure: (error: JobError) => void;
}

/** The channels that jobs of type `subscribe` follow. */
export class Subscriptions {
  readonly #stop = new AbortController();
  readonly #channels = new Set<Channel>();

  /** Follows the changes of a channel from now on. Resolves when it does. */
  async follow(channel: Channel, subscriber: Subscriber): Promise<void> {
    let live = false;
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        live = true;
        this.#channels.add(channel);
        resolve();
      };
      this.#deliver(channel, subscriber, begin).catch((cause: Error) => {
        if (!live) return reject(cause);
        subscriber.onFailure(new JobError(`"${channel.name}" is followed no more: ${cause.message}`, { cause }));
      });
    });
  }

  async #deliver(channel: Channel, { onChange }: Subscriber, begin: () => void): Promise<void> {
    let live = false;
    let newest: Version | undefined;
    const isNew = (version: Version): boolean => newest === undefined || compareVersions(version, newest) > 0;
    for await (const event of channel.watch({ signal: this.#stop.signal })) {
      if (event.type === "synced") {
        live = true;
        begin();
      } else if (event.type === "put") {
        const { key: k, value: v, version } = event.entry;
        // What the first snapshot holds is no change. That of one after a gap is, where it is newer than all that was told.
        if (live && isNew(version)) onChange({ ch: channel.name, op: "set", k, v });
        if (isNew(version)) newest = version;
      } else if (event.type === "delete") {
        onChange({ ch: channel.name, op: "unset", k: event.key });
        if (isNew(event.version)) newest = event.version;
      }
    }
  }

  /** Resolves when all changes that were made before are told: a watch that begins now comes behind them. */
  async catchUp(): Promise<void> {
    for (const channel of this.#channels) {
      // If the store fails, so does the watch that follows the channel: there it is told.
      await synced(channel, this.#stop.signal).catch(() => {});
    }
  }

  /** Follows nothing any more. */
  close(): void {
    this.#stop.abort();
    this.#channels.clear();
  }
}

async function synced(channel: Channel, signal: AbortSignal): Promise<void> {
  for await (const event of channel.watch({ signal })) if (event.type === "synced") return;
}
