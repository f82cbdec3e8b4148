import type { Lease } from "@ojm/core";
import type { TypeArgs } from "../load/jobfile.js";
import { LOCKS } from "./channels.js";
import type { JobLocks } from "./locks.js";

/** The locks of `typeArgs.lock` that a job holds until it ends. */
export class HeldLocks {
  readonly #parent: HeldLocks | undefined;
  readonly #onLost: (reason: Error) => void;
  readonly #leases = new Map<string, Lease>();

  /** `onLost` is called when a lock is held no more. */
  constructor(onLost: (reason: Error) => void, parent?: HeldLocks) {
    this.#onLost = onLost;
    this.#parent = parent;
  }

  /** Takes the lock of a job, unless it is held already, by this job or one that called it: nobody waits for himself. */
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
