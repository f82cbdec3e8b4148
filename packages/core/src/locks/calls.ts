import type { Channel } from "../channel/channel.js";
import type { Following } from "../channel/followers.js";
import { callKey, type LocksValue } from "./entries.js";
import { isCall } from "./valid.js";
import type { Wake } from "./wake.js";

interface Waiting {
  readonly wake: Wake;
  /** Its ticket is the first in the queue now. */
  called(): void;
}

/**
 * Hears the calls to the sessions of this process, and wakes those whose ticket is called. However many wait here for whatever locks, they share one
 * entry, and are woken by nothing but what concerns them.
 */
export class Calls {
  readonly #channel: Channel<LocksValue>;
  /** By their tokens. */
  readonly #waiting: Map<string, Waiting> = new Map();
  readonly #heard: Map<string, Following> = new Map();

  constructor(channel: Channel<LocksValue>) {
    this.#channel = channel;
  }

  /** Calls `called` when the ticket `token` is, and wakes `wake` when it may have been. The result ends it. */
  expect(token: string, wake: Wake, called: () => void): () => void {
    this.#waiting.set(token, { wake, called });
    return () => void this.#waiting.delete(token);
  }

  /** Resolves once every later call to a session is heard. To be called before a ticket that names it stands in a queue. */
  async hear(session: string): Promise<void> {
    if (!this.#channel.supports.watch) return;
    const heard = this.#heard.get(session) ?? this.#follow(session);
    try {
      await heard.ready;
    } catch (error) {
      if (this.#heard.get(session) === heard) this.#heard.delete(session);
      throw error;
    }
  }

  #follow(session: string): Following {
    const followed = this.#channel.follow(callKey(session), {
      changed: (change) => {
        const call: unknown = change.value();
        if (isCall(call)) this.#waiting.get(call.token)?.called();
      },
      gap: () => this.#all((wake) => wake.wake()),
      failed: (error) => {
        this.#heard.delete(session);
        this.#all((wake) => wake.fail(error));
      },
    });
    this.#heard.set(session, followed);
    return followed;
  }

  #all(tell: (wake: Wake) => void): void {
    for (const { wake } of [...this.#waiting.values()]) tell(wake);
  }

  /** Stops hearing, if nobody waits: whoever waits again and again must not begin anew each time. */
  rest(): void {
    if (this.#waiting.size === 0) this.close();
  }

  close(): void {
    for (const { stop } of this.#heard.values()) stop();
    this.#heard.clear();
  }
}
