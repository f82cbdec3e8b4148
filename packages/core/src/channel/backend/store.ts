import { EventChannel } from "../../util/events.js";
import { type ChannelError, isChannelError } from "../errors.js";
import type { ChannelLocator } from "../types.js";
import type { Backend } from "./backend.js";

/** An open backend, shared by several channels. The last channel that leaves closes it. */
export class Store {
  readonly backend: Backend;
  readonly gone: GoneStore = new GoneStore();
  /** How another thread can open it; `undefined` if none can. */
  readonly locator: Omit<ChannelLocator, "name"> | undefined;
  readonly #onLast: () => Promise<void>;
  #users = 0;
  #closing: Promise<void> | undefined;

  constructor(backend: Backend, onLast: () => Promise<void>, locator?: Omit<ChannelLocator, "name">) {
    this.backend = backend;
    this.locator = locator;
    this.#onLast = onLast;
  }

  /** Joins as a user. Returns false if the last user has left already. */
  join(): boolean {
    if (this.#closing !== undefined) return false;
    this.#users++;
    return true;
  }

  async leave(): Promise<void> {
    if (--this.#users > 0) return;
    this.#closing = this.#onLast();
    await this.#closing;
  }

  /** Resolves once the backend is closed, even if closing failed. `undefined` while it is open. */
  get closed(): Promise<void> | undefined {
    return this.#closing?.catch(() => {});
  }
}

/** The store of a channel was deleted or replaced, and was not put back. */
export interface StoreGoneEvent {
  readonly error: ChannelError;
}

const storeGone: EventChannel<StoreGoneEvent> = new EventChannel("ojm:store:gone");

/** How long a store may be gone, in ms: a file that is moved away and back is the same store. */
const PATIENCE = 10_000;

/** Notices from failed commits that a store is gone for good. */
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
