import { type Channel, channel } from "node:diagnostics_channel";

/** A channel of events of one kind. Nothing is made for an event that nobody listens to. */
export class EventChannel<T extends object> {
  readonly #channel: Channel;

  constructor(name: string) {
    this.#channel = channel(name);
  }

  get hasListeners(): boolean {
    return this.#channel.hasSubscribers;
  }

  /** Tells the listeners, if there are any. `event` makes what they are told. */
  publish(event: () => T): void {
    if (this.#channel.hasSubscribers) this.#channel.publish(event());
  }
}
