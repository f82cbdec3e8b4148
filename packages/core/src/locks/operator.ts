import type { Channel } from "../channel/channel.js";
import type { Entry } from "../channel/types.js";
import type { Clock } from "../util/clock.js";
import type { Hold, Holder, LocksValue, LockValue } from "./entries/schema.js";
import { forceUnlock } from "./force-unlock.js";
import type { HeldLeases } from "./hold/held-leases.js";
import type { Lease } from "./hold/lease.js";
import { addRequest } from "./hold/stop-requests.js";
import { holdLock } from "./hold-lock.js";
import type { HeldLock } from "./types.js";

/** What an operator needs of the locks. */
export interface OperatorContext {
  readonly clock: Clock;
  /** Records a lock that a call without an answer may have left in the store. */
  abandon(name: string, token: string): void;
  /** This process, as a holder. */
  holder(): Promise<Holder>;
  /** Whether the session of a holder is certainly over. */
  isGone(holder: Holder): Promise<boolean>;
}

/** What people do to the locks of others: unlock, cancel, and hold for maintenance. */
export class Operator {
  readonly #channel: Channel<LocksValue>;
  readonly #held: HeldLeases;
  readonly #context: OperatorContext;

  constructor(channel: Channel<LocksValue>, held: HeldLeases, context: OperatorContext) {
    this.#channel = channel;
    this.#held = held;
    this.#context = context;
  }

  /** See `Locks.forceUnlock`. Awaits `before`, then removes the lock. */
  async forceUnlock(
    name: string,
    reason: string,
    before: (lock: Entry<LockValue>, by: Holder) => Promise<void>,
  ): Promise<HeldLock | undefined> {
    const { abandon, clock } = this.#context;
    const by = await this.#context.holder();
    return forceUnlock(this.#channel, this.#held, { name, reason, at: clock.now(), by, before, abandon });
  }

  /** Asks the holder of a lock to cancel its run. */
  async requestCancel({ name, fence, holder }: HeldLock, reason: string): Promise<void> {
    const by = await this.#context.holder();
    const at = this.#context.clock.now();
    await addRequest(this.#channel, holder.instance, { name, fence, action: "cancel", reason, by, at });
  }

  /** This process, as a holder. */
  holder(): Promise<Holder> {
    return this.#context.holder();
  }

  /** Whether the session of a holder is certainly over. */
  isGone(holder: Holder): Promise<boolean> {
    return this.#context.isGone(holder);
  }

  /**
   * Turns a lease of this process into a lock of a person, which outlives the process. Resolves to
   * `undefined` if the lease lost the lock.
   */
  async hold(lease: Lease, hold: Hold): Promise<HeldLock | undefined> {
    const { clock, abandon } = this.#context;
    // From here on the lock is not that of the lease: a heartbeat would take it for lost.
    this.#held.remove(lease);
    lease.end();
    try {
      const session = `hold-${clock.random(12)}`;
      return await holdLock(this.#channel, lease, { hold, session, life: hold.until - hold.at });
    } catch (error) {
      // The commit may not have been applied: the lock is still that of the lease then.
      abandon(lease.name, lease.token);
      throw error;
    }
  }
}
