import type { Keeping, KeptLease, KeptOwner } from "../../locks/atomic-writes.js";
import type { StopRequest } from "../../locks/entries/schema.js";
import type { LockError } from "../../locks/errors.js";
import type { PendingRetry } from "../types.js";
import { delayAfter } from "./policy.js";

/**
 * The lock that a process keeps between two attempts of a chain. The commit that ends the failed attempt puts
 * it in the place of its lock, under a new fence, and the commit that begins the next attempt replaces it at
 * that fence. So there is no moment at which another run can begin.
 */
export class KeptLock implements KeptOwner {
  /** Somebody asks to cancel the chain. */
  request: StopRequest | undefined;
  /** Why the lock is not kept any more. */
  over: LockError | undefined;
  readonly #next: PendingRetry;
  readonly #disturbed: AbortController = new AbortController();
  #lease: KeptLease | undefined;

  constructor(next: PendingRetry) {
    this.#next = next;
  }

  /** What the commit that ends the failed attempt writes in the place of its lock. */
  get keeping(): Keeping {
    const { chain, attempt, due, retry, timeout } = this.#next;
    // A body that ignores its signal holds up the next attempt: not for longer than an attempt may take.
    const longest = delayAfter(retry, attempt - 1) + timeout;
    return { note: { kept: { chain, attempt, due } }, timeout: longest, owner: this };
  }

  /** The lease, while the lock is kept. */
  get lease(): KeptLease | undefined {
    return this.#lease?.held === true ? this.#lease : undefined;
  }

  /** Fires when the wait must end early: by a request, or as the lock is gone. */
  get disturbed(): AbortSignal {
    return this.#disturbed.signal;
  }

  keeps(lease: KeptLease): void {
    this.#lease = lease;
    // The lease may have ended before this process heard that it has it.
    if (!lease.held) void this.release();
  }

  onRequest(request: StopRequest): void {
    this.request = request;
    this.#disturbed.abort();
  }

  onLeaseOver(error: LockError): void {
    this.over = error;
    void this.release();
    this.#disturbed.abort();
  }

  /** Frees the lock, if it is kept. If the store is away, the next heartbeat does. */
  async release(): Promise<void> {
    await this.#lease?.release().catch(() => {});
  }
}
