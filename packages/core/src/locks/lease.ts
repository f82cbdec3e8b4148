import type { Channel } from "../channel/channel.js";
import { ChannelError } from "../channel/errors.js";
import type { CallOptions, CommitResult, Op, Version } from "../channel/types.js";
import type { Clock } from "../clock.js";
import { LateSignal } from "../late-signal.js";
import { type LocksValue, lockKey } from "./entries.js";
import { LockError } from "./errors.js";
import type { Session } from "./session.js";

/** Why a lock is lost whose entry is not as we left it. Who did it, an audit record tells in the case of a forced unlock. */
export const TAKEN = "its entry was removed or replaced, by a forced unlock or by somebody who writes to the store";

/** What a lease is of. */
export interface LeaseOf {
  readonly name: string;
  readonly fence: Version;
  readonly token: string;
  readonly timeout: number;
  /** When `timeout` is over, by the monotonic clock. */
  readonly until: number;
}

/** What a lease needs of the locks that gave it out. */
export interface LeaseHome {
  readonly channel: Channel<LocksValue>;
  readonly clock: Clock;
  release(lease: Lease): Promise<unknown>;
  /** Called when the lease is over without having been released. */
  onOver(lease: Lease, error: LockError): void;
}

/**
 * A lock, held. Get one from {@link Locks.acquire}.
 *
 * At the moment at which `signal` fires, and not before, the lock may pass to somebody else. The moment is found by the local monotonic
 * clock; it needs no answer from the store.
 */
export class Lease {
  readonly name: string;
  /** The fencing token: the version of the lock's entry. Every later holder of this lock has a higher one. */
  readonly fence: Version;
  /** @internal What tells this acquisition from every other. */
  readonly token: string;
  /** @internal */
  readonly session: Session;
  /** @internal When it runs out of its time, by the monotonic clock. */
  readonly until: number;
  readonly #timeout: number;
  readonly #home: LeaseHome;
  readonly #stop: LateSignal = new LateSignal();
  readonly #onSessionOver: (why: string) => void;
  #cancelTimeout: () => void = () => {};
  #onEnd: (() => void) | undefined;
  #released = false;

  /** @internal */
  constructor(held: LeaseOf, session: Session, home: LeaseHome) {
    this.name = held.name;
    this.fence = held.fence;
    this.token = held.token;
    this.until = held.until;
    this.session = session;
    this.#timeout = held.timeout;
    this.#home = home;
    this.#onSessionOver = (why) => this.abort("LOST", why);
  }

  /** @internal From here on the lease ends by itself: at once, if its time was over before the store had answered. */
  begin(): void {
    const left = this.until - this.#home.clock.monotonic();
    this.#cancelTimeout = this.#home.clock.after(Math.max(0, left), () => this.#timedOut());
    this.session.onOver(this.#onSessionOver);
    this.expire();
  }

  /** Fires with a {@link LockError} as its reason when the lock is held no more, unless it was released. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the lock is held now, by the local clock. */
  get held(): boolean {
    return !this.#released && this.#stop.reason === undefined && !this.#overdue && this.session.alive;
  }

  /**
   * Throws a {@link LockError} unless the lock is held now, by the local clock.
   *
   * A process that is paused right after this call may still act late: where that matters, hand {@link Lease.fence} to the system
   * that is written to.
   */
  assertHeld(): void {
    if (this.#stop.reason !== undefined) throw this.#stop.reason;
    if (this.#overdue) throw this.#error("TIMEOUT", this.#timeoutPassed);
    if (this.#released) throw new LockError("RELEASED", this.name, `the lock "${this.name}" was released`);
    if (!this.session.alive) throw new LockError("LOST", this.name, `the lock "${this.name}" is lost`);
  }

  /**
   * Applies `ops` to a channel, all or nothing, in one step with the question whether the lock is still held by this lease: the store refuses them
   * to one who holds it no more, however late they come. The channel must be in the store of the locks: opened with the same type and args.
   *
   * @returns as {@link Channel.commit}
   * @throws LockError if the lock is not held; nothing was written then. ChannelError `NOT_SUPPORTED` for a channel that is in another store
   * @example
   * await lease.fenced(accounts, [{ check: "alice", version: alice.version }, { put: "alice", value: { balance: 9 } }]);
   */
  async fenced<V>(channel: Channel<V>, ops: readonly Op<V>[], options: CallOptions = {}): Promise<CommitResult<V>> {
    this.assertHeld();
    const { channel: locks } = this.#home;
    if (!locks.joins(channel as Channel<unknown>)) throw this.#apart(channel.name);
    const check = { check: lockKey(this.name), version: this.fence };
    const result = await locks.commitWith<V>([check], channel, ops, options);
    if (result.ok) return result;
    // The indexes of the caller's ops begin after ours.
    const failed = result.failed.map((one) => ({ ...one, index: one.index - 1 }));
    if (failed.every(({ index }) => index >= 0)) return { ok: false, failed } as CommitResult<V>;
    // A process that stood still lost it by that.
    this.expire();
    this.abort("LOST", TAKEN);
    this.assertHeld();
    throw this.#error("LOST", TAKEN);
  }

  #apart(channel: string): ChannelError {
    const text = `the channel "${channel}" cannot be written in one step with the question whether the lock "${this.name}" is held: they share no store that can do so. Pass the fence (${this.fence}) on with what you write, and let the other side refuse a lower one than it has seen`;
    return new ChannelError("NOT_SUPPORTED", text);
  }

  /** Gives the lock back, if it is still ours. Calling it again does nothing. */
  async release(): Promise<void> {
    await this.#home.release(this);
  }

  /** @internal Ends the lease here, whatever the store says. */
  abort(code: "LOST" | "TIMEOUT", why: string): void {
    if (this.#released || this.#stop.reason !== undefined) return;
    // What is taken away at its timeout has run out of time, whichever of the two a program that was busy learns first.
    const error = this.#overdue ? this.#error("TIMEOUT", this.#timeoutPassed) : this.#error(code, why);
    this.#cleanUp();
    this.#stop.fire(error);
    this.#home.onOver(this, error);
  }

  /** @internal Ends the lease if its time, or that of its session, is over, although a program that was busy has not let the timers fire. */
  expire(): void {
    this.expireTimeout();
    this.session.expire();
  }

  /** @internal Ends the lease if its timeout passed. */
  expireTimeout(): void {
    if (this.#overdue) this.#timedOut();
  }

  get #overdue(): boolean {
    return !this.#released && this.#home.clock.monotonic() >= this.until;
  }

  get #timeoutPassed(): string {
    return `its timeout of ${this.#timeout} ms passed`;
  }

  #timedOut(): void {
    this.abort("TIMEOUT", this.#timeoutPassed);
  }

  #error(code: "LOST" | "TIMEOUT", why: string): LockError {
    const what = code === "TIMEOUT" ? "ran out of time" : "is lost";
    return new LockError(code, this.name, `the lock "${this.name}" ${what}: ${why}`);
  }

  /** @internal The lock was given back. The signal stays silent: nothing went wrong. */
  end(): void {
    this.#released = true;
    this.#cleanUp();
  }

  /** @internal Calls `callback`, the only one, once the lease is over or released: at once if it is. */
  onEnd(callback: () => void): void {
    if (this.#released || this.#stop.reason !== undefined) callback();
    else this.#onEnd = callback;
  }

  #cleanUp(): void {
    this.#onEnd?.();
    this.session.offOver(this.#onSessionOver);
    this.#cancelTimeout();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}
