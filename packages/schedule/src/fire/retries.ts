import { isChannelError, isRunError, type Key } from "@ojm/core";
import { inBackground } from "../background.js";
import type { Followed } from "../store/follow.js";
import type { Host, Own, OwnSchedule } from "./host.js";
import { GRACE } from "./job.js";

/** How often the attempts of other processes are looked at, in ms: their process may have died. */
const LOOK = 5_000;

/**
 * An attempt that was not made for this time, in ms, is looked at by every process: the one that took it
 * over may not have heard that it did.
 */
const OVERDUE = 20_000;

/**
 * Makes the next attempts of runs whose process is gone, of the schedules that this process is the first to
 * run; or the second, of what the first has left. Their entries are in the channel of the locks.
 */
export class Retries implements Followed<unknown> {
  readonly #host: Host;
  readonly #own: Own;
  readonly #signal: AbortSignal;
  /** The chains of each name that have an attempt to come, and when it is due. */
  readonly #pending: Map<string, Map<string, number>> = new Map();
  readonly #working: Set<string> = new Set();

  constructor(host: Host, own: Own, signal: AbortSignal) {
    this.#host = host;
    this.#own = own;
    this.#signal = signal;
  }

  put(key: Key, value: unknown): void {
    const [, name = "", chain = ""] = key as readonly string[];
    const { due } = (value ?? {}) as { readonly due?: unknown };
    const chains = this.#pending.get(name) ?? new Map<string, number>();
    this.#pending.set(name, chains.set(chain, typeof due === "number" ? due : 0));
    this.begin(name);
  }

  gone(key: Key): void {
    const [, name = "", chain = ""] = key as readonly string[];
    const chains = this.#pending.get(name);
    chains?.delete(chain);
    if (chains?.size === 0) this.#pending.delete(name);
  }

  synced(): void {}

  /** Takes over the attempts of a schedule that nobody makes, until there are none. */
  begin(name: string): void {
    if (this.#working.has(name) || !this.#pending.has(name) || this.#own.of(name) === undefined) return;
    this.#working.add(name);
    void inBackground(() => this.#work(name)).finally(() => this.#working.delete(name));
  }

  async #work(name: string): Promise<void> {
    while (!this.#signal.aborted && this.#pending.has(name)) {
      const own = this.#own.of(name);
      if (own === undefined) return;
      const isMade = this.#mineIn(name) <= 0 && (await this.#takeOver(own));
      if (!isMade) await this.#pause(this.#mineIn(name));
    }
  }

  /** When it is up to this process to make the attempts of a schedule, in ms from now; 0 or less: it is. */
  #mineIn(name: string): number {
    const rank = this.#own.rank(name);
    if (rank === 0) return 0;
    // The first may be dead, and is counted as there for a while.
    const behind = rank === 1 ? GRACE : OVERDUE;
    return Math.min(...(this.#pending.get(name)?.values() ?? [])) + behind - this.#host.store.clock.now();
  }

  /** Resolves to whether there was an attempt to make, when it and all that follow are over. */
  async #takeOver({ name, body }: OwnSchedule): Promise<boolean> {
    // Never with a signal: to cancel an attempt that is to come would remove it.
    const attempt = this.#host.manager.takeOver(name, body);
    this.#host.onRun(attempt);
    try {
      return (await attempt) !== undefined;
    } catch (error) {
      // The error of a body: its record tells it.
      return !isChannelError(error) && !isRunError(error);
    }
  }

  #pause(left: number): Promise<void> {
    const ms = left > 0 ? Math.min(left, LOOK) : LOOK;
    return new Promise((resolve) => void this.#host.store.clock.after(ms, resolve));
  }
}
