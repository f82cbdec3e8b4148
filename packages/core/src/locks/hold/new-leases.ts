import { Acquisition } from "../acquire/acquisition.js";
import { checkedOptions } from "../acquire/checked-options.js";
import type { AcquireContext, Taken } from "../acquire/context.js";
import type { AtomicWrites, KeptLease } from "../atomic-writes.js";
import type { Session } from "../session/session.js";
import type { AcquireOptions } from "../types.js";
import type { HeldLeases } from "./held-leases.js";
import { Lease, type LeaseContext, TAKEN, type TakenLock } from "./lease.js";
import type { LeaseTimeouts } from "./lease-timeouts.js";
import type { LossWatch } from "./loss-watch.js";

/** What a new lease is made known to, and what it uses. */
export interface LeaseKeepers {
  readonly held: HeldLeases;
  readonly watch: LossWatch;
  readonly timeouts: LeaseTimeouts;
  context(): LeaseContext;
}

/** Makes the leases of the locks that this process took, or keeps. */
export class NewLeases {
  readonly #context: AcquireContext;
  readonly #keepers: LeaseKeepers;

  constructor(context: AcquireContext, keepers: LeaseKeepers) {
    this.#context = context;
    this.#keepers = keepers;
  }

  /** The lease of a lock that was just taken. */
  of({ name, token, keys }: Acquisition, taken: Taken, timeout: number, owner: AtomicWrites | undefined): Lease {
    const { session, fence, until } = taken;
    return this.begin({ name, token, key: keys.lock, fence, timeout, until, owner }, session);
  }

  begin(taken: TakenLock, session: Session): Lease {
    const lease = new Lease(taken, session, this.#keepers.context());
    this.#add(lease);
    return lease;
  }

  #add(lease: Lease): void {
    const { held, watch, timeouts } = this.#keepers;
    const isOurs = held.add(lease);
    lease.session.holds(lease.until);
    watch.taken(lease);
    timeouts.taken(lease.until);
    // The answer may have taken longer than the timeout. A timer would then fire too late, when another
    // holder may have the lock.
    lease.begin();
    if (!isOurs) held.lost(lease);
  }

  /** See `Locks.succeed`. */
  async succeed(
    { token }: Pick<KeptLease, "token">,
    name: string,
    options: AcquireOptions,
    writes: AtomicWrites,
  ): Promise<Lease | undefined> {
    const { held, watch } = this.#keepers;
    const checked = checkedOptions(name, options);
    const kept = held.find(token);
    // Remove it first: a heartbeat meanwhile would take the new version of the lock for a loss.
    if (kept?.held !== true || !held.remove(kept)) return undefined;
    watch.released(kept);
    const acquisition = new Acquisition(this.#context, name, checked, writes);
    try {
      const outcome = await acquisition.attempt(undefined, undefined, kept.fence);
      if ("fence" in outcome) {
        kept.end();
        return this.of(acquisition, outcome, checked.timeout, writes);
      }
    } catch (error) {
      this.#add(kept);
      throw error;
    }
    kept.expire();
    kept.abort("LOST", TAKEN);
    return undefined;
  }
}
