import type { Channel } from "../channel/channel.js";
import type { Entry, Version } from "../channel/types.js";
import type { Clock } from "../util/clock.js";
import {
  type AuditValue,
  auditKey,
  type Hold,
  type Holder,
  type LocksValue,
  type LockValue,
} from "./entries/schema.js";
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
  leave(name: string, token: string): void;
  /** This process, as a holder. */
  holder(): Promise<Holder>;
  /** Whether the session of a holder is certainly over. */
  isGone(holder: Holder): Promise<boolean>;
}

/** Why a person asks for something, and who it is. */
export interface Asked {
  readonly reason: string;
  readonly author?: string | undefined;
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
    { reason, author, fence }: Asked & { readonly fence?: Version | undefined },
    before: (lock: Entry<LockValue>, by: Holder) => Promise<void>,
  ): Promise<HeldLock | undefined> {
    const { leave, clock } = this.#context;
    const by = await this.#context.holder();
    const who = { reason, at: clock.now(), by, ...(author !== undefined && { author }) };
    const from = fence === undefined ? {} : { fence };
    return forceUnlock(this.#channel, this.#held, { name, ...who, ...from, before, leave });
  }

  /** Asks the holder of a lock to cancel its run. The same commit tells the audit. */
  async requestCancel(
    { name, fence, holder }: HeldLock,
    { reason, author, audited, run }: Asked & { readonly audited: boolean; readonly run: string },
  ): Promise<void> {
    const by = await this.#context.holder();
    const at = this.#context.clock.now();
    const who = { reason, by, at, ...(author !== undefined && { author }) };
    const audit: AuditValue = { name, action: "cancel", ...who, holder, run, fence };
    const put = { put: auditKey(name, at, this.#context.clock.random(12)), value: audit };
    const noted = audited ? [put] : [];
    await addRequest(this.#channel, holder.instance, { name, fence, action: "cancel", ...who }, noted);
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
    const { clock, leave } = this.#context;
    // From here on the lock is not that of the lease: a heartbeat would take it for lost.
    this.#held.remove(lease);
    lease.end();
    try {
      const session = `hold-${clock.random(12)}`;
      const { at, until, reason, author } = hold;
      const who = { at, reason, by: lease.session.holder, ...(author !== undefined && { author }) };
      const audit: AuditValue = { name: lease.name, action: "hold", ...who, details: { until } };
      return await holdLock(this.#channel, lease, { hold, session, life: until - at, audit });
    } catch (error) {
      // The commit may not have been applied: the lock is still that of the lease then.
      leave(lease.name, lease.token);
      throw error;
    }
  }
}
