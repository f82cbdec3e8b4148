import type { JobManager } from "@ojm/core";
import { elapsedText } from "@ojm/core/internal";

/** After this long without news from the store, it is polled, in ms. */
const QUIET = 5_000;

/** How long an answer may take, in ms. */
const PATIENCE = 3_000;

/**
 * Whether the store answers. A silent watch may mean a quiet store or one that does not answer, so a quiet
 * store is asked for one entry now and then.
 */
export class StoreHealth {
  readonly #ask: (signal: AbortSignal) => Promise<unknown>;
  readonly #onChange: () => void;
  #heard: number;
  #away: number | undefined;
  #isAsking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(ask: (signal: AbortSignal) => Promise<unknown>, onChange: () => void, now: number = Date.now()) {
    this.#ask = ask;
    this.#onChange = onChange;
    this.#heard = now;
  }

  /** For how long the store has not answered, in ms; `undefined` while it does. */
  away(now: number): number | undefined {
    return this.#away === undefined ? undefined : Math.max(0, now - this.#away);
  }

  begin(): void {
    this.#timer = setInterval(() => void this.look(Date.now()), 1_000);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** Called when the store sent news. */
  heard(now: number = Date.now()): void {
    this.#heard = now;
    this.#away = undefined;
  }

  /** Polls the store if it was quiet for long. */
  async look(now: number): Promise<void> {
    if (this.#isAsking || now - this.#heard < QUIET) return;
    this.#isAsking = true;
    const before = this.#away;
    try {
      await this.#ask(AbortSignal.timeout(PATIENCE));
      this.heard();
    } catch {
      // Any error means that there is no answer.
      this.#away ??= this.#heard;
    } finally {
      this.#isAsking = false;
    }
    if (before !== this.#away) this.#onChange();
  }
}

/** Whether the store of a manager answers. */
export function healthOf(manager: JobManager, onChange: () => void): StoreHealth {
  return new StoreHealth((signal) => manager.channels.locks.get(["sweep"], { signal }), onChange);
}

/** The text on the screen about a store that does not answer. */
export const sayAway = (away: number): string => `the store has not answered for ${elapsedText(away)}: this may be old`;
