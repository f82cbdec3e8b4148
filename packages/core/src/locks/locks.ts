import { inBackground, throwIfAborted } from "../channel/calls.js";
import type { Channel } from "../channel/channel.js";
import type { Entry } from "../channel/types.js";
import { whenAborted } from "../util/abort.js";
import { type Clock, systemClock } from "../util/clock.js";
import { ABOVE_ZERO, checkedDuration } from "../util/duration.js";
import { InFlight } from "../util/event-loop.js";
import { type AcquireContext, Acquisition, checkedOptions, refuse, type Taken } from "./acquire/acquisition.js";
import { OwnTickets } from "./acquire/own-tickets.js";
import { PlaceInLine } from "./acquire/place-in-line.js";
import { TurnNotices } from "./acquire/wait-watch.js";
import type { AtomicWrites, BeforeRemoval } from "./atomic-writes.js";
import { LockKeys, type LocksValue, type LockValue } from "./entries/schema.js";
import {
  assertNotCorrupt,
  heldLock,
  type LockView,
  listHeld,
  lockedError,
  readView,
  readWaiters,
} from "./entries/view.js";
import { lockWaiting, tellWait } from "./events.js";
import { type CloseOptions, Grace } from "./grace.js";
import { HeldLeases, LeaseTimeouts } from "./hold/held-leases.js";
import { Lease, type LeaseContext } from "./hold/lease.js";
import { LossWatch } from "./hold/loss-watch.js";
import { PendingCleanup, UnwrittenEnds } from "./hold/pending-cleanup.js";
import { Operator } from "./operator.js";
import { releaseLock } from "./release.js";
import { CurrentSession, closedError, SessionUses } from "./session/current-session.js";
import { Liveness } from "./session/liveness.js";
import { Sweeper } from "./sweep/sweep.js";
import type { AcquireOptions, HeldLock, LocksOptions, Waiter, WaitersOptions } from "./types.js";

/**
 * Opens locks in a channel. It sends nothing to the store: the first call that needs a session opens one.
 * {@link Locks.close} does not close the channel, so close the channel afterwards.
 *
 * @throws ChannelError `INVALID_ARGUMENT` if `ttl` is not a duration above 0
 */
export function openLocks(channel: Channel<unknown> | Channel, options: LocksOptions = {}): Locks {
  return new Locks(channel, options);
}

/**
 * Locks by name, stored in a channel. All programs that open the same channel, in this process or another,
 * compete for the same locks.
 *
 * At any time at most one lease of a name has a `signal` that has not fired: the lease of the holder. A
 * suspended process can still write late; {@link Lease.fenced} and {@link Lease.fence} protect against that.
 *
 * @example
 * const channel = await openChannel("locks", { type: "redis", args: { url: "redis://localhost" } });
 * const locks = openLocks(channel);
 * {
 *   await using lease = await locks.acquire("invoice-4711", { wait: 5_000, timeout: 60_000 });
 *   await pay(invoice, { signal: lease.signal, fence: lease.fence });
 * }
 * await locks.close();
 * await channel.close();
 *
 * @see Gray and Cheriton, "Leases: An Efficient Fault-Tolerant Mechanism for Distributed File Cache
 * Consistency", 1989
 */
export class Locks {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #liveness: Liveness;
  readonly #notices: TurnNotices;
  readonly #sessions: CurrentSession;
  readonly #held: HeldLeases;
  readonly #cleanup: PendingCleanup;
  readonly #unwritten: UnwrittenEnds;
  readonly #lossWatch: LossWatch;
  readonly #timeouts: LeaseTimeouts;
  readonly #sweeper: Sweeper;
  readonly #context: AcquireContext;
  readonly #leases: LeaseContext;
  /** @internal What people do to the locks of other processes. */
  readonly operator: Operator;
  readonly #acquiring: InFlight = new InFlight();
  readonly #uses: SessionUses = new SessionUses();
  readonly #waits: Set<AbortController> = new Set();
  readonly #grace: Grace;
  /** The number of releases that wait for their answer. */
  #releases = 0;
  /** Called when no lock is held any more. */
  #onFree: () => void = () => {};
  #closed = false;
  /** Whether `close()` releases the remaining locks. */
  #isEnding = false;
  #closing: Promise<void> | undefined;

  /** @internal Use {@link openLocks}. `records`: the channel of the records of the locks' owners. */
  constructor(channel: Channel<unknown> | Channel, options: LocksOptions = {}, records?: Channel<unknown>) {
    this.#channel = channel as Channel<LocksValue>;
    this.#clock = options.clock ?? systemClock;
    this.#grace = new Grace(this.#clock);
    const ttl = checkedDuration("ttl", options.ttl ?? 15_000, refuse, ABOVE_ZERO);
    this.#liveness = new Liveness(this.#channel, this.#clock);
    this.#notices = new TurnNotices(this.#channel);
    this.#cleanup = new PendingCleanup(this.#channel, options.onOrphan ?? (async () => {}));
    this.#unwritten = new UnwrittenEnds(this.#cleanup, this.#clock, ttl);
    const onOrphan = (lock: Entry<LockValue>): Promise<void> => this.#cleanup.closeOwner(lock);
    this.#sweeper = new Sweeper(this.#channel, this.#clock, ttl, this.#liveness, onOrphan);
    this.#held = new HeldLeases(this.#channel);
    this.#lossWatch = new LossWatch(this.#channel, this.#clock, this.#held);
    this.#timeouts = new LeaseTimeouts(this.#clock, this.#held);
    this.#sessions = new CurrentSession(this.#channel, this.#clock, {
      ttl,
      thread: options.heartbeatThread ?? true,
      records,
      earliestTimeout: () => this.#held.earliestTimeout(),
      onBeat: () => this.#onBeat(),
    });
    this.#context = this.#acquireContext(onOrphan);
    this.operator = new Operator(this.#channel, this.#held, {
      clock: this.#clock,
      leave: (name, token) => this.#cleanup.add(name, token),
      holder: () => this.keepSession(async () => (await this.#sessions.current()).holder),
      living: () => this.#sessions.living?.holder,
      isGone: ({ instance }) => this.#liveness.isDead(instance, { recently: true }),
    });
    this.#leases = {
      channel: this.#channel,
      clock: this.#clock,
      ttl,
      release: (lease) => this.release(lease),
      // Only `close()` waits for a release, and releases itself. If this fails, the next heartbeat does it.
      onOver: (lease) => void (this.#isEnding || this.release(lease).catch(() => {})),
      onReleaseFailed: ({ name, token }, before) => this.#unwritten.add(name, token, before),
      onReleased: () => {
        this.#uses.end();
        this.#releases--;
        this.#checkFree();
      },
    };
  }

  #acquireContext(onOrphan: AcquireContext["onOrphan"]): AcquireContext {
    const id = this.#clock.random(12);
    let tokens = 0;
    return {
      channel: this.#channel,
      clock: this.#clock,
      liveness: this.#liveness,
      notices: this.#notices,
      tickets: new OwnTickets(this.#channel),
      keys: new LockKeys(),
      livingSession: () => this.#sessions.living,
      session: () => this.#sessions.current(),
      nextToken: () => `${id}-${++tokens}`,
      onOrphan,
      abandon: (name, token) => this.#cleanup.abandon(name, token),
    };
  }

  /**
   * Takes the lock `name`. Tries once, or waits up to `wait` ms; waiters get the lock in order of arrival.
   *
   * Of all callers in all processes, at most one has a lease whose `signal` has not fired. A forced unlock is
   * the exception: see {@link Locks.forceUnlock}. A lock of a dead holder is taken over after `onOrphan`. If
   * the outcome of a commit is unknown, the call rejects, and the next heartbeat removes any leftovers of the
   * commit.
   *
   * @throws LockError `LOCKED` if another holder has the lock, or if other waiters are ahead
   * @throws ChannelError `CLOSED` after {@link Locks.close}; `CORRUPT` if ojm did not write the lock's entry;
   * `INVALID_ARGUMENT`; any error of the store
   */
  async acquire(name: string, options?: AcquireOptions): Promise<Lease>;
  /** @internal `writes`: the writes of the lock's owner in the same step. */
  async acquire(name: string, options: AcquireOptions, writes: AtomicWrites): Promise<Lease>;
  async acquire(name: string, options: AcquireOptions = {}, writes?: AtomicWrites): Promise<Lease> {
    const checked = checkedOptions(name, options);
    const { timeout, wait, signal } = checked;
    throwIfAborted(signal);
    const acquisition = new Acquisition(this.#context, name, checked, writes);
    this.#acquiring.begin();
    this.#uses.begin();
    try {
      // The first attempt assumes that the lock is free, and reads nothing.
      let outcome = await acquisition.attempt();
      if (!("fence" in outcome)) outcome = await acquisition.try(outcome);
      if (!("fence" in outcome) && wait > 0) outcome = await this.#wait(acquisition, outcome, wait, signal);
      if ("fence" in outcome) {
        const lease = this.#begin(acquisition, outcome, timeout, writes);
        // Return a lock with an owner even after a close, which waits until the owner releases it.
        if (!this.#closed || writes !== undefined) return lease;
        await this.release(lease).catch(() => {});
        throw closedError();
      }
      if (this.#closed) {
        // `close()` removes any leftovers of this acquisition from the store.
        this.#cleanup.abandon(name, acquisition.token);
        throw closedError();
      }
      throw lockedError(name, outcome);
    } finally {
      this.#uses.end();
      this.#acquiring.end();
    }
  }

  #begin({ name, token, keys }: Acquisition, taken: Taken, timeout: number, owner: AtomicWrites | undefined): Lease {
    const { session, fence, until, ownKeys } = taken;
    const lock = { name, token, key: keys.lock, fence, timeout, until, owner, ownKeys };
    const lease = new Lease(lock, session, this.#leases);
    const isOurs = this.#held.add(lease);
    session.holds(until);
    this.#lossWatch.taken(lease);
    this.#timeouts.taken(until);
    // The answer may have come after the timeout: a timer would be too late for the next holder.
    lease.begin();
    if (!isOurs) this.#held.lost(lease);
    return lease;
  }

  async #wait(
    acquisition: Acquisition,
    view: LockView,
    wait: number,
    signal: AbortSignal | undefined,
  ): Promise<Taken | LockView> {
    const over = new AbortController();
    this.#waits.add(over);
    lockWaiting.publish(() => {
      const { lock, queue } = view;
      return { name: acquisition.name, wait, ...(lock && { held: heldLock(lock, queue?.value) }) };
    });
    const cancel = this.#clock.after(wait, () => over.abort(), true);
    // No AbortSignal.any(): Node keeps its result as long as the caller's signal (nodejs/node#55351).
    const stopListening = signal && whenAborted(signal, () => over.abort());
    if (signal?.aborted === true) over.abort();
    try {
      return await tellWait(acquisition.name, this.#clock, new PlaceInLine(acquisition, over.signal).wait(view));
    } finally {
      cancel();
      stopListening?.();
      this.#waits.delete(over);
    }
  }

  /**
   * Releases a lock. Resolves to whether the lease still had it; see {@link releaseLock}.
   *
   * @internal Use {@link Lease.release}.
   */
  release(lease: Lease, writes?: AtomicWrites): Promise<boolean> {
    // Remove the lease first: a heartbeat would otherwise report the missing entry as a lost lock.
    if (!this.#held.remove(lease)) return Promise.resolve(false);
    this.#lossWatch.released(lease);
    // Keep the session: without it, the lock would be free for others before the release arrives.
    this.#uses.begin();
    this.#releases++;
    // End the lease before the store answers: by then another holder may have the lock.
    lease.end();
    return releaseLock(this.#leases, lease, writes);
  }

  /**
   * Ends a lease. The next heartbeat awaits `before` (default: `onOrphan`), and then removes the lock.
   *
   * @internal
   */
  giveUp(lease: Lease, before?: BeforeRemoval): void {
    this.#leave(lease, () => this.#unwritten.add(lease.name, lease.token, before));
  }

  /**
   * The same for a lock that no caller got: its run never began.
   *
   * @internal
   */
  abandon(lease: Lease): void {
    this.#leave(lease, () => this.#cleanup.abandon(lease.name, lease.token));
  }

  #leave(lease: Lease, remember: () => void): void {
    if (!this.#held.remove(lease)) return;
    this.#lossWatch.released(lease);
    remember();
    lease.end();
    this.#checkFree();
  }

  #checkFree(): void {
    if (this.#held.size === 0 && this.#releases === 0) this.#onFree();
  }

  /**
   * The lock `name` and its holder; `undefined` if the lock is free.
   *
   * @throws ChannelError `CORRUPT` if ojm did not write the lock's entry; any error of the store
   */
  async find(name: string): Promise<HeldLock | undefined> {
    const view = await readView(this.#channel, name);
    assertNotCorrupt(this.#channel.name, name, view);
    const { lock, queue } = view;
    return lock === undefined ? undefined : heldLock(lock, queue?.value);
  }

  /**
   * All held locks, by name, read page by page, not as of one moment. Leaves damaged entries out.
   *
   * @throws ChannelError any error of the store
   */
  async list(): Promise<HeldLock[]> {
    return listHeld(this.#channel);
  }

  /**
   * The processes that wait for the lock `name`, in the order in which they will get it. A process that waits
   * in several calls is listed once for each. A listed process may have died without being found dead yet.
   *
   * @throws ChannelError `CORRUPT` if ojm did not write the queue's entry; any error of the store
   */
  async waiters(name: string, { limit = 100 }: WaitersOptions = {}): Promise<Waiter[]> {
    return readWaiters(this.#channel, name, limit);
  }

  /**
   * Removes the lock of any holder, living or dead, and leaves an audit record with the reason.
   *
   * A holder in this process loses its lease before the lock is removed. A holder in another process learns
   * of the unlock from its watch, within moments; if the store cannot be watched, from its next heartbeat.
   * Until then two bodies may run. The same can happen if two people force an unlock at once.
   *
   * @returns the lock as it was; `undefined` if it was free
   * @throws ChannelError `CORRUPT` if ojm did not write the lock's entry; any error of the store
   */
  async forceUnlock(name: string, reason: string): Promise<HeldLock | undefined> {
    return this.operator.forceUnlock(name, { reason }, async () => {});
  }

  /** @internal Runs work during which this process must look alive: its session stays open. */
  keepSession<T>(work: () => Promise<T>): Promise<T> {
    return this.#uses.during(work);
  }

  /**
   * Removes the leftovers of dead processes: their locks, after `onOrphan`, and the sessions of dead
   * processes of this host. Safe to run in several processes at once. An {@link Locks.acquire} needs no sweep
   * to take over a dead lock.
   *
   * @throws ChannelError any error of the store
   */
  async sweep(): Promise<void> {
    await this.#sweeper.sweep();
  }

  /** @internal Sweeps, unless another process has the turn to sweep the channel. */
  sweepInTurn(): Promise<void> {
    return this.#sweeper.inTurn();
  }

  /** @internal The time until the next {@link Locks.sweepInTurn}, in ms. */
  nextSweep(): number {
    return this.#sweeper.next();
  }

  /**
   * Fires the signal of every lease with `CLOSING`, waits for their releases, and ends the session. A lock
   * that is still held after the grace is released: its lease is `LOST`. Waiters and later calls reject with
   * `CLOSED` at once. A second call joins the first, and may shorten its grace.
   *
   * Does not reject if the store is away: the session then expires after its `ttl`, and its locks are free.
   * If the store is too full for the ends of runs, it waits for room, for one `ttl` at most.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#grace.limit(options);
    return this.closeWithin(this.#grace);
  }

  /** @internal Closes within a grace that others share. */
  closeWithin(grace: Grace): Promise<void> {
    this.#closing ??= this.#close(grace).finally(() => grace.stop());
    return this.#closing;
  }

  async #close(grace: Grace): Promise<void> {
    this.askForReleases();
    await this.stop();
    await grace.wait(this.#free());
    this.#notices.close();
    this.#lossWatch.close();
    const leases = this.#held.all;
    this.#isEnding = true;
    // Fire the signals first: a holder must stop before another holder can get the lock.
    for (const lease of leases) lease.abort("LOST", "it was released, because the program closed its locks");
    this.#timeouts.close();
    await Promise.allSettled(leases.map((lease) => this.release(lease)));
    await this.#unwritten.finish();
    await this.#sessions.endAfter(() => this.#cleanup.remove(this.#cleanup.all));
  }

  /** @internal Fires the signals of the leases without a run. They stay held. */
  askForReleases(): void {
    for (const lease of this.#held.all) lease.askForRelease();
  }

  /** Resolves once no lock is held any more. */
  #free(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFree = resolve;
      this.#checkFree();
    });
  }

  /** @internal Ends all waits. Resolves once no lock can be taken any more. Leases stay. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#sessions.close();
    for (const wait of this.#waits) wait.abort();
    await this.#acquiring.none();
  }

  /**
   * Called with each renewal of the session. Checks whether the store still has the locks of this process.
   * The returned function is called once the renewal was answered: it removes the leftovers of unanswered
   * calls, and ends watches, timers and sessions that are no longer used.
   */
  #onBeat(): () => Promise<void> {
    // If these fail, the next heartbeat repeats them. The deadline of the session does not depend on them.
    const checked = inBackground(() => this.#held.findLost(this.#held.all));
    return async () => {
      for (const part of [this.#notices, this.#lossWatch, this.#timeouts]) part.rest();
      // Remove only leftovers from before this renewal. Their commits check the version that the session had
      // before the renewal, so they can no longer be applied. The commit of a later leftover may still be
      // under way.
      const leftovers = this.#cleanup.all;
      await checked.then(() => inBackground(() => this.#cleanup.remove(leftovers)));
      if (this.#uses.areOver(this.#held.size > 0 || this.#cleanup.size > 0)) this.#sessions.rest();
    };
  }
}
