import type { Lease } from "@ojm/core";
import type { TypeArgs } from "../../load/job-file.js";
import type { JobLocks } from "./job-locks.js";
import { LOCKS } from "./script-channels.js";

/** The locks of `typeArgs.lock` that a job holds until it ends. */
export class HeldLocks {
  readonly #parent: HeldLocks | undefined;
  readonly #onLost: (reason: Error) => void;
  readonly #leases = new Map<string, Lease>();

  /** `onLost` is called when a lock is lost. */
  constructor(onLost: (reason: Error) => void, parent?: HeldLocks) {
    this.#onLost = onLost;
    this.#parent = parent;
  }

  /**
   * Takes the lock of a job, unless this job or one that called it holds the lock already: it would wait for
   * itself.
   */
  async take({ lock, lockCh = LOCKS }: TypeArgs, locks: JobLocks, signal: AbortSignal): Promise<void> {
    const key = JSON.stringify([lockCh, lock]);
    if (lock === undefined || this.#has(key)) return;
    const lease = await locks.take(lock, lockCh, signal);
    this.#leases.set(key, lease);
    lease.signal.addEventListener("abort", () => this.#onLost(lease.signal.reason as Error));
  }

  async release(): Promise<void> {
    const leases = [...this.#leases.values()];
    this.#leases.clear();
    for (const lease of leases) await lease.release();
  }

  #has(key: string): boolean {
    if (this.#leases.has(key)) return true;
    return this.#parent === undefined ? false : this.#parent.#has(key);
  }
}
