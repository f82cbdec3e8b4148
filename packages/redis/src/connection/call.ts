import { ChannelError } from "@ojm/core/backend";
import { neverSent } from "../errors.js";
import type { RedisClient } from "./client.js";
import type { Expiring } from "./deadlines.js";

/** What a call needs from its connection. */
export interface CallOwner {
  readonly client: RedisClient;
  /** The call is over, whether it succeeded or failed. */
  forget(call: Waiting): void;
  /** The call could not be sent, and waits for the next connection. */
  wait(call: Waiting): void;
  /** The error for a call that failed with `error`. */
  explain(error: unknown): ChannelError;
  /** The error for a call that was not answered in time. */
  overdue(sent: boolean): ChannelError;
}

/** A call that is not over yet. */
export interface Waiting extends Expiring {
  /** Sends it. */
  go(): void;
  fail(error: ChannelError): void;
}

/**
 * One call to the server. It records whether it may have been sent, because that decides what its failure
 * means. It is a class, because closures would cost more for each call.
 */
export class Call<T> implements Waiting {
  readonly #owner: CallOwner;
  readonly #send: (client: RedisClient) => Promise<T>;
  readonly #signal: AbortSignal | undefined;
  #sent = false;
  #settled = false;
  #resolve: (value: T) => void = () => {};
  #reject: (error: ChannelError) => void = () => {};
  readonly result: Promise<T>;

  constructor(owner: CallOwner, send: (client: RedisClient) => Promise<T>, signal: AbortSignal | undefined) {
    this.#owner = owner;
    this.#send = send;
    this.#signal = signal;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal?.addEventListener("abort", this);
    if (signal?.aborted === true) this.handleEvent();
  }

  /** The listener of the signal. */
  handleEvent(): void {
    const outcome = this.#sent ? "unknown" : "not-applied";
    this.fail(
      new ChannelError("ABORTED", "the call was aborted by its signal", { outcome, cause: this.#signal?.reason }),
    );
  }

  get isOver(): boolean {
    return this.#settled;
  }

  expire(): void {
    this.fail(this.#owner.overdue(this.#sent));
  }

  go(): void {
    this.#sent = true;
    this.#send(this.#owner.client).then(
      (value) => {
        this.#settle();
        this.#resolve(value);
      },
      (error: unknown) => this.#onError(error),
    );
  }

  fail(error: ChannelError): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(error);
  }

  #onError(error: unknown): void {
    if (!neverSent(error)) {
      this.fail(this.#owner.explain(error));
      return;
    }
    // ioredis is about to notice that the connection broke. Nothing was sent, so the next connection can send
    // it.
    this.#sent = false;
    if (!this.#settled) this.#owner.wait(this);
  }

  #settle(): void {
    this.#settled = true;
    this.#signal?.removeEventListener("abort", this);
    this.#owner.forget(this);
  }
}
