import { inBackground } from "../../channel/calls/background.js";
import { unlessCorrupt } from "../../channel/calls/corrupt.js";
import type { Channel } from "../../channel/channel.js";
import type { Change, KeyWatch, KeyWatcher } from "../../channel/types.js";
import { type LocksValue, stopKey } from "../entries/schema.js";
import { isStopRequests } from "../entries/valid.js";
import type { Session } from "../session/session.js";
import type { HeldLeases } from "./held-leases.js";
import { removeRequests } from "./stop-requests.js";

/** Receives what other processes ask of the leases of this one: to cancel a run, or why a lock is gone. */
export class RequestWatch {
  readonly #channel: Channel<LocksValue>;
  readonly #heldLeases: HeldLeases;

  constructor(channel: Channel<LocksValue>, heldLeases: HeldLeases) {
    this.#channel = channel;
    this.#heldLeases = heldLeases;
  }

  /** Starts a watch. A request from before it is seen by {@link RequestWatch.read}. */
  watch({ id }: Session, { gap, failed }: Pick<KeyWatcher, "gap" | "failed">): KeyWatch {
    const changed = (change: Change<LocksValue>): void => this.#received(id, change.value());
    return this.#channel.watchKey(stopKey(id), { changed, gap, failed });
  }

  /** Reads the requests to a session. */
  async read({ id }: Session): Promise<void> {
    const entry = await unlessCorrupt(this.#channel.entry(stopKey(id)));
    this.#received(id, entry?.value);
  }

  /**
   * Hands requests to their leases, and removes them. A request without a lease stays: the answer to the
   * commit that took its lock may still be on its way.
   */
  #received(session: string, value: unknown): void {
    if (!isStopRequests(value)) return;
    const done = value.requests.filter((request) => {
      const lease = this.#heldLeases.ofName(request.name);
      if (lease === undefined || lease.fence !== request.fence) return false;
      lease.requested(request);
      return true;
    });
    if (done.length > 0) void inBackground(() => removeRequests(this.#channel, session, done));
  }
}
