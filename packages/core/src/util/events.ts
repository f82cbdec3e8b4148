import { type Channel, channel } from "node:diagnostics_channel";

/** A channel of events of one kind. An event without listeners costs nothing. */
export class EventChannel<T extends object> {
  readonly #channel: Channel;

  constructor(name: string) {
    this.#channel = channel(name);
  }

  get hasListeners(): boolean {
    return this.#channel.hasSubscribers;
  }

  /** Publishes the result of `event` to the listeners, if there are any. */
  publish(event: () => T): void {
    if (this.#channel.hasSubscribers) this.#channel.publish(event());
  }
}
