import type { JobManager } from "@ojm/core";
import type { LiveRuns } from "@ojm/core/internal";
import { askedField } from "./asked.js";
import type { Running } from "./running.js";

/** The runs that go on as the screens show them, kept up to date by watches. */
export class LiveRows {
  readonly #manager: JobManager;
  readonly #onChange: () => void;
  #live: LiveRuns | undefined;
  #isComplete = false;

  constructor(manager: JobManager, onChange: () => void) {
    this.#manager = manager;
    this.#onChange = onChange;
  }

  /** Whether all runs that go on are known. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Follows the store until the signal fires. Rejects if the store cannot be followed at all. */
  async follow(signal: AbortSignal): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        if (signal.aborted) return resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
        this.#live = this.#manager.live({ changed: this.#onChange, failed: reject });
        this.#live.ready.then(() => {
          this.#isComplete = true;
          this.#onChange();
        }, reject);
      });
    } finally {
      this.#live?.close();
    }
  }

  /** How many wait for a lock. */
  get waiting(): number {
    return [...(this.#live?.waiting().values() ?? [])].reduce((sum, count) => sum + count, 0);
  }

  /** The runs that go on at `now`, by name. */
  rows(now: number): Running[] {
    return (this.#live?.runs() ?? []).map(({ usual, asked, ...run }) => ({
      ...run,
      ...(run.waiting > 0 && { waiters: this.#live?.waiters(run.name) ?? [] }),
      elapsed: Math.max(0, now - run.startTime),
      ...(usual !== undefined && { usual: usual.p50 }),
      ...askedField(asked),
    }));
  }
}
