import type { Channel } from "../../channel/channel.js";
import type { KeyWatch } from "../../channel/types.js";
import { callKey, type LocksValue } from "../entries/schema.js";
import { isCall } from "../entries/valid.js";
import type { LockView } from "../entries/view.js";
import type { Waker } from "./waker.js";

interface Waiting {
  readonly wake: Waker;
  /**
   * Called when the ticket of this waiter becomes the first in its queue. `view` is the lock and its queue,
   * if a waiter of this process took the lock.
   */
  called(view?: LockView): void;
}

/**
 * Receives the turn notices for the sessions of this process, and wakes the waiter concerned. All waiters of
 * a session share one entry and one watch, however many locks they wait for.
 */
export class TurnNotices {
  readonly #channel: Channel<LocksValue>;
  /** By token. */
  readonly #waiting: Map<string, Waiting> = new Map();
  /** By the token ahead: the waiters that rely on a waiter of this process. */
  readonly #behind: Map<string, Waker> = new Map();
  readonly #watches: Map<string, KeyWatch> = new Map();

  constructor(channel: Channel<LocksValue>) {
    this.#channel = channel;
  }

  /**
   * Calls `called` when the ticket `token` becomes the first, and wakes `wake` when a notice may have been
   * lost. Call the result to stop.
   */
  expect(token: string, wake: Waker, called: (view?: LockView) => void): () => void {
    this.#waiting.set(token, { wake, called });
    return () => void this.#waiting.delete(token);
  }

  /**
   * A waiter of this process took the lock, and left it and the queue like this. Tells the next waiter, if it
   * is of this process too: it then needs neither the notice from the store nor a read of the queue. Returns
   * whether it is.
   */
  handOn(view: LockView | undefined): boolean {
    const [next] = view?.queue?.value.waiting ?? [];
    const waiting = next && this.#waiting.get(next.token);
    waiting?.called(view);
    return waiting !== undefined;
  }

  /** Lets {@link TurnNotices.wakeBehind} wake `wake` for the ticket `ahead`. Call the result to stop. */
  follow(ahead: string, wake: Waker): () => void {
    this.#behind.set(ahead, wake);
    return () => {
      if (this.#behind.get(ahead) === wake) this.#behind.delete(ahead);
    };
  }

  /** Makes the waiter that relies on the waiter with this ticket look again. */
  wakeBehind(token: string): void {
    this.#behind.get(token)?.wake();
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
        if (!isCall(call)) return;
        const waiting = this.#waiting.get(call.token);
        if (call.near === true) waiting?.wake.wake();
        else waiting?.called();
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
