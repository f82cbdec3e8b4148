import { isSignal, whenAborted } from "../abort.js";
import type { Channel } from "../channel/channel.js";
import { ChannelError, isChannelError } from "../channel/errors.js";
import { throwIfAborted } from "../channel/store.js";
import type { CommitResult, Entry, Op } from "../channel/types.js";
import { type Clock, systemClock } from "../clock.js";
import { endingUntil, persist } from "../persist.js";
import { UnderWay } from "../under-way.js";
import { Acquisition, type Taken } from "./acquisition.js";
import { type LockView, readView } from "./attempt.js";
import { Calls } from "./calls.js";
import { CurrentSession, closedError } from "./current-session.js";
import { type AuditValue, auditKey, type Holder, type LocksValue, type LockValue, lockKey } from "./entries.js";
import type { LockError } from "./errors.js";
import { assertOurs, isForeign } from "./foreign.js";
import { heldLock, listHeld, lockedError } from "./held.js";
import { Lease } from "./lease.js";
import { Liveness } from "./liveness.js";
import { LossWatch } from "./loss-watch.js";
import type { Session } from "./session.js";
import { Sweeper } from "./sweeper.js";
import type { AcquireOptions, Companion, HeldLock, LocksOptions } from "./types.js";
import { Upkeep } from "./upkeep.js";

const HOUR = 3_600_000;

/** What the maker of a run adds to taking and losing its lock. */
export interface LeaseHooks {
  /** Writes to make in the same step as taking the lock. */
  readonly companion?: Companion;
  /** Called when the lease is over without having been released. Default: releases the lock, if it is still there. */
  readonly onOver?: (lease: Lease, error: LockError) => void;
}

/**
 * Locks by name, kept in a channel: whoever opens the same channel, in this process or another, competes for the same locks.
 *
 * @example
 * const locks = new Locks(await openChannel("locks", { type: "redis", args: { url: "redis://localhost" } }));
 * await using lease = await locks.acquire("invoice-4711", { wait: 5_000, timeout: 60_000 });
 * await pay(invoice, { signal: lease.signal, fence: lease.fence });
 */
export class Locks {
  readonly channel: Channel<LocksValue>;
  readonly clock: Clock;
  // The class does not say "implements Acquirer": published declarations lack the internal members and would not compile.
  /** @internal */
  readonly liveness: Liveness;
  /** @internal */
  readonly calls: Calls;
  readonly #ttl: number;
  readonly #sessions: CurrentSession;
  readonly #onOrphan: (lock: Entry<LockValue>) => Promise<void>;
  readonly #upkeep: Upkeep;
  readonly #lossWatch: LossWatch;
  readonly #sweeper: Sweeper;
  readonly #id: string;
  #tokens = 0;
  readonly #acquiring: UnderWay = new UnderWay();
  readonly #waits: Set<AbortController> = new Set();
  #closed = false;
  #closing: Promise<void> | undefined;

  /** The channel stays the caller's to close, after {@link Locks.close}. `jobs`: of a manager, where the records of the holders are. */
  constructor(channel: Channel<LocksValue> | Channel, options: LocksOptions = {}, jobs?: Channel<unknown>) {
    this.channel = channel as Channel<LocksValue>;
    this.clock = options.clock ?? systemClock;
    this.#id = this.clock.random(12);
    this.liveness = new Liveness(this.channel, this.clock);
    this.calls = new Calls(this.channel);
    this.#ttl = positive("ttl", options.ttl ?? 15_000);
    this.#onOrphan = options.onOrphan ?? (async () => {});
    this.#sweeper = new Sweeper(this.channel, this.clock, this.#ttl, this.liveness, this.#onOrphan);
    this.#upkeep = new Upkeep(this.channel, this.#onOrphan);
    this.#lossWatch = new LossWatch(this.channel, this.clock, this.#upkeep);
    this.#sessions = new CurrentSession(this.channel, this.clock, {
      ttl: this.#ttl,
      thread: options.heartbeatThread ?? true,
      jobs,
      earliestTimeout: () => this.#upkeep.earliestTimeout(),
      onBeat: () => this.#afterBeat(),
    });
  }

  /**
   * Takes the lock `name`, at once or within `wait` ms, in order of arrival.
   *
   * Of any number of callers anywhere, at most one holds a lease whose `signal` has not fired.
   *
   * @throws LockError `LOCKED` if somebody else has it; ChannelError if the store fails
   */
  async acquire(name: string, options: AcquireOptions = {}, hooks: LeaseHooks = {}): Promise<Lease> {
    if (typeof name !== "string" || name === "") {
      throw new ChannelError("INVALID_ARGUMENT", "the name of a lock is a text that is not empty");
    }
    const timeout = positive("timeout", options.timeout ?? HOUR);
    const { wait = 0, signal } = options;
    if (!(wait >= 0))
      throw new ChannelError("INVALID_ARGUMENT", `wait is a number of milliseconds from 0 up, not ${wait}`);
    if (signal !== undefined && !isSignal(signal)) {
      throw new ChannelError("INVALID_ARGUMENT", "the signal that ends the waiting is no AbortSignal");
    }
    throwIfAborted(signal);
    const acquisition = new Acquisition(this, name, { ...options, timeout }, hooks.companion);
    this.#acquiring.begin();
    try {
      let outcome = await acquisition.try();
      if (!("fence" in outcome) && wait > 0) outcome = await this.#wait(acquisition, outcome, wait, signal);
      if (this.#closed) throw this.#lateFor(acquisition);
      if ("fence" in outcome) return this.#lease(acquisition, outcome, timeout, hooks);
      throw lockedError(name, outcome);
    } finally {
      this.#acquiring.end();
    }
  }

  /** Closed while it was under way: what it may have left in the store goes with everything else. */
  #lateFor({ name, token }: Acquisition): ChannelError {
    this.abandon(name, token);
    return closedError();
  }

  async #wait(
    acquisition: Acquisition,
    view: LockView,
    wait: number,
    signal: AbortSignal | undefined,
  ): Promise<Taken | LockView> {
    const over = new AbortController();
    this.#waits.add(over);
    const cancel = this.clock.after(wait, () => over.abort(), true);
    // No AbortSignal.any(): Node keeps what it makes for as long as the caller's signal lives (nodejs/node#55351).
    const unfollow = signal && whenAborted(signal, () => over.abort());
    if (signal?.aborted === true) over.abort();
    try {
      return await acquisition.wait(view, over.signal);
    } finally {
      cancel();
      unfollow?.();
      this.#waits.delete(over);
    }
  }

  #lease({ name, token }: Acquisition, { session, fence, until }: Taken, timeout: number, hooks: LeaseHooks): Lease {
    const onOver = hooks.onOver ?? ((lease) => void (this.#closed || this.#releaseLate(lease)));
    const of = { name, token, fence, timeout, until };
    const { channel, clock } = this;
    const lease = new Lease(of, session, { channel, clock, onOver, release: (it) => this.release(it) });
    const isOurs = this.#upkeep.taken(lease);
    session.holds(until);
    this.#lossWatch.taken(lease);
    // The answer may have taken longer than the lock may be held: others may have it by now, and a timer would tell a moment too late.
    lease.begin();
    if (!isOurs) this.#upkeep.lost(lease);
    return lease;
  }

  /** Nobody but a close, which releases by itself, waits for this release: if it fails, the next heartbeat sees to it. */
  #releaseLate(lease: Lease): void {
    this.release(lease).catch(() => {});
  }

  /**
   * Gives a lock back, if it is still the lease's. Resolves to whether it was: then the ops of `companion` were applied too, in the
   * same step. While the store cannot be reached it keeps trying, for as long as the session lives, and at most for the time to live of one.
   *
   * @internal Use {@link Lease.release}.
   */
  async release(lease: Lease, companion?: Companion): Promise<boolean> {
    // First: the heartbeat must not take the missing entry for a lock that was stolen.
    if (!this.#upkeep.remove(lease)) return false;
    // Not once it is answered: by then somebody else may have it.
    lease.end();
    try {
      return await this.#release(lease, companion);
    } catch (error) {
      this.abandon(lease.name, lease.token);
      throw error;
    }
  }

  /**
   * Lets go of a lease without asking the store: the next heartbeat removes the lock, after `onOrphan`.
   *
   * @internal
   */
  giveUp(lease: Lease): void {
    if (!this.#upkeep.remove(lease)) return;
    this.abandon(lease.name, lease.token);
    lease.end();
  }

  async #release({ name, fence, session, until }: Lease, companion: Companion | undefined): Promise<boolean> {
    const { clock } = this;
    const own: Op<LocksValue>[] = [{ check: lockKey(name), version: fence }, { delete: lockKey(name) }];
    const persistence = {
      clock,
      until: endingUntil(clock.monotonic(), until, this.#ttl),
      goesOn: () => session.alive,
    };
    const attempt = (): Promise<CommitResult<unknown>> => {
      const { beside = [], ops } = companion?.prepare(session.holder) ?? { ops: [] };
      const all = [...own, ...beside];
      if (companion?.channel === undefined) return this.channel.commit(all);
      return this.channel.commitWith<unknown>(all, companion.channel, ops);
    };
    for (;;) {
      try {
        const result = await persist(persistence, attempt);
        if (result.ok) return true;
        if (result.failed[0]?.index === 0) return false;
        await companion?.refused(result.failed[0]?.current);
      } catch (error) {
        if (!isForeign(error) || (await companion?.overwritten?.()) !== true) throw error;
      }
    }
  }

  /** Who holds the lock `name` now; `undefined` if nobody does. */
  async find(name: string): Promise<HeldLock | undefined> {
    const view = await readView(this.channel, name);
    assertOurs(this.channel.name, name, view);
    const { lock, queue } = view;
    return lock === undefined ? undefined : heldLock(lock, queue?.value);
  }

  /** The locks that are held now, by whomever, in the order of their names. */
  async list(): Promise<HeldLock[]> {
    return listHeld(this.channel);
  }

  /**
   * Takes the lock from whoever holds it, after `before`, and leaves an audit record with the reason. A holder in another process
   * finds out by its watch, within moments; where the store cannot be watched, by its next heartbeat.
   * Resolves to the lock as it was, `undefined` if nobody held it.
   */
  async forceUnlock(
    name: string,
    reason: string,
    before: (lock: Entry<LockValue>) => Promise<void> = async () => {},
  ): Promise<HeldLock | undefined> {
    const { holder } = await this.session();
    let lock = (await this.channel.entry(lockKey(name))) as Entry<LockValue> | undefined;
    while (lock !== undefined) {
      assertOurs(this.channel.name, name, { lock });
      await before(lock);
      const { token } = lock.value;
      const ours = this.#upkeep.find(token);
      // Not its release as well, which would leave no audit record.
      if (ours !== undefined) this.#upkeep.remove(ours);
      // Who holds it here is told before the store is: as soon as that has it, the next one begins.
      ours?.abort("LOST", `it was unlocked by force: ${reason}`);
      const result = await this.#unlock(lock, reason, holder).catch((error: unknown) => {
        if (ours !== undefined) this.abandon(name, token);
        throw error;
      });
      if (result.ok) return heldLock(lock, undefined);
      lock = result.failed[0]?.current as Entry<LockValue> | undefined;
    }
    return undefined;
  }

  #unlock(lock: Entry<LockValue>, reason: string, by: Holder): Promise<CommitResult<LocksValue>> {
    const { value, version: fence } = lock;
    const at = this.clock.now();
    const audit: AuditValue = { name: value.name, at, reason, by, lock: value, fence };
    return this.channel.commit([
      { check: lockKey(value.name), version: fence },
      { delete: lockKey(value.name) },
      { put: auditKey(value.name, at, fence), value: audit },
    ]);
  }

  /** Removes what dead processes left: their locks, after `onOrphan`, and the sessions of dead processes of this host. */
  async sweep(): Promise<void> {
    await this.#sweeper.sweep();
  }

  /** @internal Sweeps, unless another process that uses the same channel does so for all. */
  sweepInTurn(): Promise<void> {
    return this.#sweeper.inTurn();
  }

  /** @internal In how many ms {@link Locks.sweepInTurn} is to be called next. */
  nextSweep(): number {
    return this.#sweeper.next();
  }

  /** Fires the signal of every lease, then releases it, and ends the session. Waiting and later calls reject. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.stop();
    this.calls.close();
    this.#lossWatch.close();
    const { leases } = this.#upkeep;
    // Who still holds one has not given it back, and must know before somebody else can have it.
    for (const lease of leases) lease.abort("LOST", "it was given back, as its locks were closed");
    await Promise.allSettled(leases.map((lease) => this.release(lease)));
    try {
      await this.#upkeep.clear().catch(async (error: unknown) => {
        // What could not be removed dies with the session, which ends by itself where the store is away.
        if (!isChannelError(error) || !error.retryable) await this.#sessions.end();
        throw error;
      });
      await this.#sessions.end();
    } catch (error) {
      await this.#sessions.abandon();
      if (!isChannelError(error)) throw error;
    }
  }

  /** @internal Ends all waiting, and resolves when no lock will be taken any more. Leases stay. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#sessions.close();
    for (const wait of this.#waits) wait.abort();
    await this.#acquiring.none();
  }

  /** @internal */
  session(): Promise<Session> {
    return this.#sessions.current();
  }

  async #afterBeat(): Promise<void> {
    this.calls.rest();
    this.#lossWatch.rest();
    await this.#upkeep.afterBeat();
  }

  /** @internal */
  nextToken(): string {
    return `${this.#id}-${++this.#tokens}`;
  }

  /** @internal */
  async onOrphan(lock: Entry<LockValue>): Promise<void> {
    await this.#onOrphan(lock);
  }

  /** @internal */
  abandon(name: string, token: string): void {
    this.#upkeep.abandon(name, token);
  }
}

function positive(what: string, ms: number): number {
  if (typeof ms === "number" && ms > 0 && Number.isFinite(ms)) return ms;
  throw new ChannelError("INVALID_ARGUMENT", `${what} is a number of milliseconds above 0, not ${String(ms)}`);
}
