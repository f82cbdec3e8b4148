import type { ChannelLocator } from "../types.js";
import type { Backend } from "./backend.js";
import { GoneStore } from "./gone.js";

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

  /** Resolves once the backend is closed, also if that failed. `undefined` while it is open. */
  get closed(): Promise<void> | undefined {
    return this.#closing?.catch(() => {});
  }
}
