import type { Channel } from "../../channel/channel.js";
import type { KeyWatch } from "../../channel/types.js";
import { callKey, type LocksValue } from "../entries/schema.js";
import { isCall } from "../entries/valid.js";
import type { Waker } from "./waker.js";

interface Waiting {
  readonly wake: Waker;
  /** Called when the ticket of this waiter becomes the first in its queue. */
  called(): void;
}

/**
 * Receives the turn notices for the sessions of this process, and wakes the waiter concerned. All waiters of
 * a session share one entry and one watch, however many locks they wait for.
 */
export class TurnNotices {
  readonly #channel: Channel<LocksValue>;
  /** By token. */
  readonly #waiting: Map<string, Waiting> = new Map();
  readonly #watches: Map<string, KeyWatch> = new Map();

  constructor(channel: Channel<LocksValue>) {
    this.#channel = channel;
  }

  /**
   * Calls `called` when the ticket `token` becomes the first, and wakes `wake` when a notice may have been
   * lost. Call the result to stop.
   */
  expect(token: string, wake: Waker, called: () => void): () => void {
    this.#waiting.set(token, { wake, called });
    return () => void this.#waiting.delete(token);
  }

  /** Whether the waiter with this ticket still waits, in this process. */
  isExpected(token: string): boolean {
    return this.#waiting.has(token);
  }

  /**
   * Resolves once every later notice to a session is received. Await it before a ticket with that session
   * enters a queue.
   */
  async hear(session: string): Promise<void> {
    if (!this.#channel.supports.watch) return;
    const watch = this.#watches.get(session) ?? this.#watchSession(session);
    try {
      await watch.ready;
    } catch (error) {
      if (this.#watches.get(session) === watch) this.#watches.delete(session);
      throw error;
    }
  }

  #watchSession(session: string): KeyWatch {
    const watch = this.#channel.watchKey(callKey(session), {
      changed: (change) => {
        const call: unknown = change.value();
        if (isCall(call)) this.#waiting.get(call.token)?.called();
      },
      gap: () => this.#all((wake) => wake.wake()),
      failed: (error) => {
        this.#watches.delete(session);
        this.#all((wake) => wake.fail(error));
      },
    });
    this.#watches.set(session, watch);
    return watch;
  }

  #all(tell: (wake: Waker) => void): void {
    for (const { wake } of [...this.#waiting.values()]) tell(wake);
  }

  /**
   * Stops watching if there are no waiters. Called only after a heartbeat, so that a program that waits often
   * does not start a new watch each time.
   */
  rest(): void {
    if (this.#waiting.size === 0) this.close();
  }

  close(): void {
    for (const { stop } of this.#watches.values()) stop();
    this.#watches.clear();
  }
}
