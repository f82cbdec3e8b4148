import { failedCheck } from "../../channel/calls.js";
import type { Channel, ChannelOps } from "../../channel/channel.js";
import { ChannelError } from "../../channel/errors.js";
import type { CallOptions, CommitResult, Key, Op, Version } from "../../channel/types.js";
import { LazyAbortSignal } from "../../util/abort.js";
import type { Clock } from "../../util/clock.js";
import { durationText } from "../../util/duration.js";
import { visible } from "../../util/text.js";
import type { BeforeRemoval, LeaseOwner, PreparedWrites } from "../atomic-writes.js";
import { type LocksValue, lockKey, type StopRequest } from "../entries/schema.js";
import { asker } from "../entries/view.js";
import { LockError } from "../errors.js";
import { lockLost } from "../events.js";
import type { Session } from "../session/session.js";

/** Why a lease without its entry in the store is lost. A forced unlock has an audit record. */
export const TAKEN = "its entry was removed or replaced, by a forced unlock or by a direct write to the store";

interface TakenLock {
  readonly name: string;
  readonly fence: Version;
  readonly token: string;
  readonly key: Key;
  readonly timeout: number;
  /** The end of `timeout`, by the monotonic clock. */
  readonly until: number;
  /** The lock's owner, if it wants a callback at the end of the lease. */
  readonly owner: LeaseOwner | undefined;
  /** See {@link PreparedWrites.ownKeys}. */
  readonly ownKeys?: readonly Key[] | undefined;
}

/** The parts of {@link Locks} that its leases use. */
export interface LeaseContext {
  readonly channel: Channel<LocksValue>;
  readonly clock: Clock;
  /** The time to live of a session, in ms. A release is retried for this time at most. */
  readonly ttl: number;
  release(lease: Lease): Promise<unknown>;
  /** Called when a lease ended without a release, if its owner wants no callback. */
  onOver(lease: Lease): void;
  /** Called when the release of a lease failed: the lock may still be in the store. */
  onReleaseFailed(lease: Lease, before: BeforeRemoval | undefined): void;
  /** Called when the release of a lease is over, even if it failed. */
  onReleased(): void;
}

/**
 * A held lock. Get one from {@link Locks.acquire}.
 *
 * Another holder can get the lock only after `signal` fires or the lease is released. The local monotonic
 * clock decides when it fires, so the lease ends in time even if the store does not answer. A forced unlock
 * by another process is the exception: see {@link Locks.forceUnlock}.
 *
 * @example
 * await using lease = await locks.acquire("invoice-4711");
 * await pay(invoice, { signal: lease.signal, fence: lease.fence });
 */
export class Lease {
  readonly name: string;
  /**
   * The fencing token: the version of the lock's entry. Every later holder of the lock gets a higher one.
   * Compare two with `compareVersions`.
   *
   * @see https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html
   */
  readonly fence: Version;
  /** @internal Unique for each acquisition. */
  readonly token: string;
  /** @internal */
  readonly session: Session;
  /** @internal The key of its entry. */
  readonly key: Key;
  /** @internal The keys that its release deletes too. */
  readonly ownKeys: readonly Key[];
  /** @internal The end of its timeout, by the monotonic clock. */
  readonly until: number;
  readonly #timeout: number;
  readonly #owner: LeaseOwner | undefined;
  readonly #context: LeaseContext;
  readonly #stop: LazyAbortSignal = new LazyAbortSignal();
  #onEnd: (() => void) | undefined;
  #released = false;
  /** Why it ended without a release. */
  #endedBy: LockError | undefined;

  /** @internal */
  constructor(taken: TakenLock, session: Session, context: LeaseContext) {
    this.name = taken.name;
    this.fence = taken.fence;
    this.token = taken.token;
    this.key = taken.key;
    this.ownKeys = taken.ownKeys ?? [];
    this.until = taken.until;
    this.session = session;
    this.#timeout = taken.timeout;
    this.#owner = taken.owner;
    this.#context = context;
  }

  /** @internal Ends the lease if its timeout passed, or its session ended, before the store answered. */
  begin(): void {
    if (this.session.over !== undefined) this.abort("LOST", this.session.over);
    this.expire();
  }

  /**
   * Fires when the lease ends without a release, or when the program closes its locks. Its reason is a {@link
   * LockError} with `TIMEOUT`, `LOST` or `CLOSING`. With `CLOSING`, the lock is held until it is released, or
   * until the grace of the close is over.
   */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the lease holds the lock now, by the local clock. Costs no call to the store. */
  get held(): boolean {
    return !this.#released && this.#endedBy === undefined && !this.#overdue && this.session.alive;
  }

  /**
   * Throws unless the lease holds the lock now, by the local clock, and need not be released. Makes no call
   * to the store.
   *
   * A process may be suspended right after this call and then write late. If that matters, use {@link
   * Lease.fenced}, or pass {@link Lease.fence} to the system that you write to.
   *
   * @throws LockError `TIMEOUT`, `LOST`, `RELEASED` or `CLOSING`
   */
  assertHeld(): void {
    this.#assertHolds();
    if (this.#stop.reason !== undefined) throw this.#stop.reason;
  }

  #assertHolds(): void {
    if (this.#endedBy !== undefined) throw this.#endedBy;
    if (this.#overdue) throw this.#error("TIMEOUT", this.#timeoutPassed);
    if (this.#released) throw new LockError("RELEASED", this.name, `the lock "${this.name}" was released`);
    if (!this.session.alive) throw new LockError("LOST", this.name, `the lock "${this.name}" is lost`);
  }

  /**
   * Applies `ops` to a channel, all or nothing, only if this lease still holds the lock in the store. The
   * check and the writes are one commit, so a late write of a former holder fails. The channel must be in the
   * store of the locks: opened with the same type and args.
   *
   * @returns as {@link Channel.commit}
   * @throws LockError if the lease does not hold the lock; nothing was written
   * @throws ChannelError `NOT_SUPPORTED` if the channel is in another store
   * @example
   * await lease.fenced(accounts, [
   *   { check: "alice", version: alice.version },
   *   { put: "alice", value: { balance: 9 } },
   * ]);
   */
  async fenced<V>(channel: Channel<V>, ops: readonly Op<V>[], options: CallOptions = {}): Promise<CommitResult<V>> {
    // Not `assertHeld`: a holder that cleans up may write until it releases the lock.
    this.#assertHolds();
    const result = await commitFenced(this.#context.channel, this, channel, ops, options);
    if (result !== "lock lost") return result;
    this.removed();
    this.#assertHolds();
    throw this.#error("LOST", TAKEN);
  }

  /**
   * Joins `ops` to a transaction of the caller, whose COMMIT fails unless this lease still holds the lock in
   * the store then. Otherwise as {@link Lease.fenced}.
   *
   * @throws ChannelError `NOT_SUPPORTED` if the store has no transactions for callers
   */
  async fencedIn<V>(transaction: unknown, channel: Channel<V>, ops: readonly Op<V>[]): Promise<void> {
    this.#assertHolds();
    const { channel: locks } = this.#context;
    if (!locks.joins(channel as Channel<unknown>)) throw otherStore(channel.name, this.name, this.fence);
    const check = { check: this.key, version: this.fence };
    await locks.commitIn(transaction, [check], [{ channel, ops } as ChannelOps<unknown>]);
  }

  /** @internal Joins its release and the writes of its owner to a transaction. */
  async releaseIn(transaction: unknown, { lockOps = [], others = [] }: PreparedWrites): Promise<void> {
    this.#assertHolds();
    const keys = [this.key, ...this.ownKeys];
    const ops = keys.flatMap((key): Op<LocksValue>[] => [{ check: key, version: this.fence }, { delete: key }]);
    await this.#context.channel.commitIn(transaction, [...ops, ...(lockOps as Op<LocksValue>[])], others);
  }

  /**
   * Releases the lock, if this lease still holds it. A second call does nothing. It also resolves if the
   * lease had lost the lock.
   *
   * @throws ChannelError if the store fails. The lease is over all the same, and the next heartbeat removes
   * the lock
   */
  async release(): Promise<void> {
    await this.#context.release(this);
  }

  /** @internal Ends the lease in this process, without a call to the store. */
  abort(code: "LOST" | "TIMEOUT", why: string): void {
    if (this.#released || this.#endedBy !== undefined) return;
    // A loss at the timeout is a `TIMEOUT`, whichever of the two a busy program notices first.
    const error = this.#overdue ? this.#error("TIMEOUT", this.#timeoutPassed) : this.#error(code, why);
    this.#endedBy = error;
    this.#cleanUp();
    this.#stop.fire(error);
    lockLost.publish(() => ({ name: this.name, fence: this.fence, code, reason: error.message }));
    if (this.#owner?.onLeaseOver === undefined) this.#context.onOver(this);
    else this.#owner.onLeaseOver(error);
  }

  /** @internal The store no longer has its lock. A transaction of its owner may have released it. */
  removed(): void {
    // If this process was suspended, report that as the cause.
    this.expire();
    if (this.#owner?.onRemoved?.() !== true) this.abort("LOST", TAKEN);
  }

  /** @internal The program closes its locks: requests a release. A run has a signal of its own. */
  askForRelease(): void {
    if (this.#released || this.#owner?.onLeaseOver !== undefined) return;
    const text = `the lock "${this.name}" must be released: the program closes its locks`;
    this.#stop.fire(new LockError("CLOSING", this.name, text));
  }

  /** @internal Handles a request of another process. A lock without a run cannot be cancelled. */
  requested(request: StopRequest): void {
    const { action, reason } = request;
    if (action === "cancel") this.#owner?.onRequest?.(request);
    else this.abort("LOST", `it was unlocked by force, by ${asker(request)}: ${visible(reason)}`);
  }

  /** @internal Ends the lease if its timeout or session is over: a busy program may hold up timers. */
  expire(): void {
    this.expireTimeout();
    this.session.expire();
  }

  /** @internal Ends the lease if its timeout passed. */
  expireTimeout(): void {
    if (this.#overdue) this.timedOut();
  }

  get #overdue(): boolean {
    return !this.#released && this.#context.clock.monotonic() >= this.until;
  }

  get #timeoutPassed(): string {
    return `its timeout of ${durationText(this.#timeout)} passed`;
  }

  /** @internal Ends the lease because its timeout passed. */
  timedOut(): void {
    this.abort("TIMEOUT", this.#timeoutPassed);
  }

  #error(code: "LOST" | "TIMEOUT", why: string): LockError {
    const what = code === "TIMEOUT" ? "ran out of time" : "is lost";
    const isUnanswered = code === "LOST" && this.session.isUnanswered;
    return new LockError(code, this.name, `the lock "${this.name}" ${what}: ${why}`, { why, isUnanswered });
  }

  /** @internal Ends the lease after a release. The signal does not fire, because nothing went wrong. */
  end(): void {
    this.#released = true;
    this.#cleanUp();
  }

  /** @internal Calls the only `callback` once the lease is over or released, or at once if it is. */
  onEnd(callback: () => void): void {
    if (this.#released || this.#endedBy !== undefined) callback();
    else this.#onEnd = callback;
  }

  #cleanUp(): void {
    this.#onEnd?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

interface Fenced {
  readonly name: string;
  readonly fence: string;
}

/**
 * Applies `ops` to a channel, only if the store still has the lock under this fence. The check and the writes
 * are one commit: a late write of a former holder fails, and the call resolves to "lock lost".
 *
 * @throws ChannelError `NOT_SUPPORTED` if the channel is in another store
 */
async function commitFenced<V>(
  locks: Channel<LocksValue>,
  { name, fence }: Fenced,
  channel: Channel<V>,
  ops: readonly Op<V>[],
  options: CallOptions,
): Promise<CommitResult<V> | "lock lost"> {
  if (!locks.joins(channel as Channel<unknown>)) throw otherStore(channel.name, name, fence);
  const check = { check: lockKey(name), version: fence };
  const result = await locks.commitWith<[V]>([check], [{ channel, ops }], options);
  if (result.ok) return result;
  return failedCheck(result.failed, check.check) === undefined ? (result as CommitResult<V>) : "lock lost";
}

function otherStore(channel: string, name: string, fence: string): ChannelError {
  const text = `the channel "${channel}" is in another store than the lock "${name}", so one commit cannot check the lock and write to the channel. Pass the fence (${fence}) with each write, and let the receiver refuse a lower fence than it has seen`;
  return new ChannelError("NOT_SUPPORTED", text);
}
