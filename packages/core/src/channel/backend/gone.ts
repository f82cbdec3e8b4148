import { EventChannel } from "../../util/events.js";
import { type ChannelError, isChannelError } from "../errors.js";

/** The store of a channel was deleted or replaced, and nobody put it back. */
export interface StoreGoneEvent {
  readonly error: ChannelError;
}

export const storeGone: EventChannel<StoreGoneEvent> = new EventChannel("ojm:store:gone");

/** For so long a store may be gone, in ms: a file that is moved away and back is the same one. */
const PATIENCE = 10_000;

/** Notices that a store is gone for good, by the commits that fail. */
export class GoneStore {
  #since: number | undefined;

  answered(): void {
    this.#since = undefined;
  }

  failed(error: unknown): void {
    if (!isChannelError(error) || error.code !== "GONE") return;
    const now = performance.now();
    this.#since ??= now;
    if (now - this.#since >= PATIENCE) storeGone.publish(() => ({ error }));
  }
}
