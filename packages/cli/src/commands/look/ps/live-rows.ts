import type { JobManager } from "@ojm/core";
import { type FollowStoreOptions, followStore, type LiveStore } from "@ojm/schedule/operator";
import { type Coming, comingIn } from "../retry-series.js";
import { type Running, rowOf } from "./running.js";

/** The rows of the screens, kept up to date by watches. */
export class LiveRows {
  /** Whether the first read is complete. */
  isComplete = false;
  store: LiveStore | undefined;
  readonly #manager: JobManager;
  readonly #options: Pick<FollowStoreOptions, "changed" | "orphans">;

  constructor(manager: JobManager, options: Pick<FollowStoreOptions, "changed" | "orphans"> = {}) {
    this.#manager = manager;
    this.#options = options;
  }

  /** Follows the store until the signal fires. Rejects if the store cannot be followed at all. */
  follow(signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (signal.aborted) return resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
      this.store = followStore(this.#manager, { ...this.#options, signal, failed: reject });
      this.store.ready.then(() => {
        this.isComplete = true;
        this.#options.changed?.(undefined, "others");
      }, reject);
    });
  }

  /** The runs in progress at `now`, by name. */
  rows(now: number): Running[] {
    const live = this.store?.runs;
    if (live === undefined) return [];
    return live.runs().map((run) => rowOf(run, now, run.waiting === 0 ? undefined : live.waiters(run.name)));
  }

  /** The pending retries, by their time. */
  coming(): Coming[] {
    return this.store === undefined ? [] : comingIn(this.store.retries());
  }
}
