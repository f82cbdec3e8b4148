import { inBackground } from "../../channel/calls/background.js";
import { isFull } from "../../channel/calls/full.js";
import type { Clock } from "../../util/clock.js";
import { durationText } from "../../util/duration.js";
import { visible } from "../../util/visible.js";
import { emitWarning } from "../../util/warning.js";
import type { BeforeRemoval } from "../atomic-writes.js";
import type { PendingCleanup } from "./pending-cleanup.js";

/** The pause between two attempts, in ms. */
const PAUSE = 500;

/** The most names in a warning. */
const MOST_SHOWN = 5;

/**
 * Removes the locks whose owners could not write their end because the store is full, once there is room. It
 * needs no heartbeat: a session that could not be renewed has none.
 */
export class UnwrittenEnds {
  readonly #cleanup: PendingCleanup;
  readonly #clock: Clock;
  readonly #ttl: number;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(cleanup: PendingCleanup, clock: Clock, ttl: number) {
    this.#cleanup = cleanup;
    this.#clock = clock;
    this.#ttl = ttl;
  }

  /** Adds a lock that could not be released. With `before`, its owner has an end to write. */
  add(name: string, token: string, before: BeforeRemoval | undefined): void {
    this.#cleanup.add(name, token, before);
    if (before !== undefined) this.#arm();
  }

  /**
   * Tries until all ends are written, while the store is full, for one `ttl` at most. Process warnings say so
   * at once, and whose end is missing after that: no other process can know why.
   */
  async finish(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    const until = this.#clock.monotonic() + this.#ttl;
    for (let told = false; ; told = true) {
      const error = await this.#write();
      if (!isFull(error)) return;
      const why = error.message;
      if (this.#clock.monotonic() >= until) {
        this.#warn(`is not recorded: ${why}. The next process that finds it open records it as lost`);
        return;
      }
      if (!told)
        this.#warn(`is not recorded yet: ${why}. This process waits up to ${durationText(this.#ttl)} for room`);
      await new Promise<void>((resolve) => void this.#clock.after(PAUSE, resolve, true));
    }
  }

  #arm(): void {
    if (this.#closed || this.#cancel !== undefined) return;
    this.#cancel = this.#clock.after(PAUSE, () => {
      this.#cancel = undefined;
      void inBackground(() => this.#cleanup.remove(this.#cleanup.owned)).then(() => {
        if (this.#cleanup.owned.length > 0) this.#arm();
      });
    });
  }

  /** Resolves to the error, if there was one. Any other error than a full store is for `close()` to meet. */
  async #write(): Promise<unknown> {
    try {
      await this.#cleanup.remove(this.#cleanup.owned);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #warn(what: string): void {
    const names = [...new Set(this.#cleanup.owned.map(([, name]) => `"${name}"`))];
    const shown = names.slice(0, MOST_SHOWN).join(", ");
    const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : "";
    emitWarning("OJM_FULL", visible(`the end of the run of ${shown}${more} ${what}`));
  }
}
