import { failedCheck } from "../channel/calls.js";
import type { Channel } from "../channel/channel.js";
import { unlessCorrupt } from "../channel/corrupt.js";
import type { CommitResult, Entry, Op, Version } from "../channel/types.js";
import type { Clock } from "../util/clock.js";
import { processIdentity } from "../util/process-state.js";
import {
  type AuditValue,
  auditKey,
  type Hold,
  type Holder,
  type LocksValue,
  type LockValue,
  lockKey,
  type SessionValue,
  type StopRequest,
  sessionKey,
} from "./entries/schema.js";
import { holdOf } from "./entries/valid.js";
import { assertNotCorrupt, heldLock } from "./entries/view.js";
import type { HeldLeases } from "./hold/held-leases.js";
import type { Lease } from "./hold/lease.js";
import { addRequest, commitWithRequest } from "./hold/loss-watch.js";
import type { HeldLock } from "./types.js";

interface OperatorContext {
  readonly clock: Clock;
  /** Records a lock that an unanswered call may have left in the store. */
  leave(name: string, token: string): void;
  /** This process, as a holder: with a session. */
  holder(): Promise<Holder>;
  /** The holder of the living session, if there is one. */
  living(): Holder | undefined;
  /** Whether the session of a holder is certainly over. */
  isGone(holder: Holder): Promise<boolean>;
}

/** The reason and the author of a person's request. */
interface Requested {
  readonly reason: string;
  readonly author?: string | undefined;
}

/** A request to end a run, of a job. */
interface CancelRequest extends Requested {
  readonly audited: boolean;
  readonly giveBack: boolean;
  readonly run: string;
  readonly job: string;
}

/** What people do to the locks of other processes: unlock, cancel, and hold for maintenance. */
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
    { reason, author, fence }: Requested & { readonly fence?: Version | undefined },
    before: (lock: Entry<LockValue>, by: Holder) => Promise<void>,
  ): Promise<HeldLock | undefined> {
    const { leave, clock } = this.#context;
    const by = await this.#context.holder();
    const who = { reason, at: clock.now(), by, ...(author !== undefined && { author }) };
    const from = fence === undefined ? {} : { fence };
    return forceUnlock(this.#channel, this.#held, { name, ...who, ...from, before, leave });
  }

  /** Requests the holder of a lock to cancel its run. The same commit writes the audit record. */
  async requestCancel(
    { name, fence, holder }: HeldLock,
    { reason, author, audited, giveBack, run, job }: CancelRequest,
  ): Promise<void> {
    const by = await this.#context.holder();
    const at = this.#context.clock.now();
    const who = { reason, by, at, ...(author !== undefined && { author }) };
    const audit: AuditValue = { name: job, action: "cancel", ...who, holder, run, fence };
    const put = { put: auditKey(job, at, this.#context.clock.random(12)), value: audit };
    const noted = audited ? [put] : [];
    await addRequest(
      this.#channel,
      holder.instance,
      { name, fence, action: "cancel", ...who, ...(giveBack && { giveBack }) },
      noted,
    );
  }

  holder(): Promise<Holder> {
    return this.#context.holder();
  }

  /** This process, for the audit. Opens no session: a full store may have no room for its entry. */
  actor(): Holder {
    const { host, pid } = processIdentity();
    return this.#context.living() ?? { host, pid, instance: `${pid}-${this.#context.clock.random(10)}` };
  }

  isGone(holder: Holder): Promise<boolean> {
    return this.#context.isGone(holder);
  }

  /**
   * Turns a lease into a lock of a person, which outlives the process; `undefined` if the lock was lost.
   * `end`: when the hold is over, by the monotonic clock.
   */
  async hold(lease: Lease, hold: Hold, end: number): Promise<HeldLock | undefined> {
    const { clock, leave } = this.#context;
    // From here on the lock does not belong to the lease: a heartbeat would report it as lost.
    this.#held.remove(lease);
    lease.end();
    try {
      const session = `hold-${clock.random(12)}`;
      const { at, until, reason, author } = hold;
      const who = { at, reason, by: lease.session.holder, ...(author !== undefined && { author }) };
      const audit: AuditValue = { name: lease.name, action: "hold", ...who, details: { until } };
      // Count from now: the wait may have taken a part of the time. A wall clock that was set back
      // meanwhile makes the hold no longer.
      const life = Math.max(1, Math.min(until - clock.now(), end - clock.monotonic()));
      return await holdLock(this.#channel, lease, { hold, session, life, audit });
    } catch (error) {
      // The commit may not have been applied: then the lock still belongs to the lease.
      leave(lease.name, lease.token);
      throw error;
    }
  }
}

interface ForcedUnlock {
  readonly name: string;
  readonly reason: string;
  readonly at: number;
  readonly by: Holder;
  /** The person behind that process. */
  readonly author?: string;
  /** Take the lock only from the lease with this fence. */
  readonly fence?: Version;
  /** Awaited before the lock is removed. */
  before(lock: Entry<LockValue>, by: Holder): Promise<void>;
  /** Records a lock of this process for the cleanup, because the store may or may not have removed it. */
  leave(name: string, token: string): void;
}

/** Removes a lock, with an audit record. Resolves to it; `undefined` if free, or of another fence. */
async function forceUnlock(
  channel: Channel<LocksValue>,
  held: HeldLeases,
  unlock: ForcedUnlock,
): Promise<HeldLock | undefined> {
  const { name, reason, before, leave } = unlock;
  let lock = (await channel.entry(lockKey(name))) as Entry<LockValue> | undefined;
  while (lock !== undefined) {
    assertNotCorrupt(channel.name, name, { lock });
    if (unlock.fence !== undefined && unlock.fence !== lock.version) return undefined;
    await before(lock, unlock.by);
    const { token } = lock.value;
    const ours = held.find(token);
    // From here on the holder's own release does nothing. It would remove the lock without an audit record.
    if (ours !== undefined) held.remove(ours);
    // Fire the holder's signal before the commit: the next holder can begin once the store applied it.
    ours?.abort("LOST", `it was unlocked by force: ${reason}`);
    const result = await remove(channel, lock, unlock, ours !== undefined).catch((error: unknown) => {
      if (ours !== undefined) leave(name, token);
      throw error;
    });
    if (result.ok) return heldLock(lock, undefined);
    // The request to the holder may have failed its own check, too.
    lock = failedCheck(result.failed, lock.key)?.current as Entry<LockValue> | undefined;
  }
  return undefined;
}

/**
 * Removes the lock. The same commit sends its holder the reason, unless other processes send that holder a
 * request at this moment: then it learns only that its lock is gone.
 */
async function remove(
  channel: Channel<LocksValue>,
  { key, value, version: fence }: Entry<LockValue>,
  { reason, by, author, at }: ForcedUnlock,
  isOurs: boolean,
): Promise<CommitResult<LocksValue>> {
  const { name, holder } = value;
  const who = { reason, by, at, ...(author !== undefined && { author }) };
  const audit: AuditValue = { name, action: "unlock", ...who, lock: value, fence };
  const isHold = holdOf(value) !== undefined;
  const ops: Op<LocksValue>[] = [
    { check: key, version: fence },
    { delete: key },
    ...(isHold ? [{ delete: sessionKey(holder.instance) }] : []),
    { put: auditKey(name, at, fence), value: audit },
  ];
  if (isOurs || isHold) return channel.commit(ops);
  const request: StopRequest = { name, fence, action: "unlock", ...who };
  const result = await unlessCorrupt(commitWithRequest(channel, holder.instance, request, ops));
  if (result?.ok === true || failedCheck(result?.failed ?? [], key) !== undefined)
    return result as CommitResult<LocksValue>;
  return channel.commit(ops);
}

/** A lock that a person takes, and for how long. */
interface Holding {
  readonly hold: Hold;
  /** A session without a process: `hold-` and a random text. */
  readonly session: string;
  /** The audit record of the hold. */
  readonly audit: AuditValue;
  /** The time left, in ms. */
  readonly life: number;
}

/**
 * Turns a lease into a lock that outlives its process: one commit gives the lock to a session that no process
 * renews, and that ends after `life`. No other holder can get the lock in between. Resolves to `undefined` if
 * the lease lost the lock.
 *
 * Every check of a lock checks its session, so no other code needs to know that a person holds it.
 */
async function holdLock(
  channel: Channel<LocksValue>,
  lease: Lease,
  { hold, session, life, audit }: Holding,
): Promise<HeldLock | undefined> {
  const key = lockKey(lease.name);
  const { host, pid } = lease.session.holder;
  // Matches no host, so that no process looks for the holder on its own host and finds it gone.
  const process = { host, pid, boot: session, namespace: "", started: "" };
  const since = hold.at;
  const living: SessionValue = { id: session, process, since, beat: 0, hold: true };
  const value: LockValue = {
    name: lease.name,
    holder: { host, pid, instance: session },
    token: session,
    since,
    timeout: hold.until - since,
    until: lease.until,
    note: { hold: { ...hold } },
  };
  const result: CommitResult<LocksValue> = await channel.commit([
    { check: key, version: lease.fence },
    { put: sessionKey(session), value: living, ttl: life },
    { put: key, value },
    { put: auditKey(lease.name, audit.at, session), value: audit },
  ]);
  return result.ok ? heldLock({ value, version: result.version } as Entry<LockValue>, undefined) : undefined;
}
