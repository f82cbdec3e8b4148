import { isChannelError } from "../../channel/errors.js";
import { assertNotCorrupt } from "../entries/corrupt.js";
import { leaveQueue } from "../entries/queue.js";
import type { Ticket } from "../entries/schema.js";
import { type LockView, readView } from "../entries/view.js";
import type { Session } from "../session/session.js";
import { type Acquisition, GLANCE, type Trust } from "./acquisition.js";
import type { AcquireContext, Taken } from "./context.js";
import { WaitWatch } from "./wait-watch.js";
import { Waker } from "./waker.js";

/** How often a waiter behind another one of its process checks that one, in ms. That one does the rest. */
const GLANCE_BEHIND_OWN = 5 * GLANCE;

/** A waiter reads the store once in this many glances, in case a notice was lost. */
const GLANCES_TO_A_READ = 10;

/** A waiter checks all sessions ahead of it once in this many glances. */
const GLANCES_TO_A_LOOK_AHEAD = 50;

/**
 * A waiter reads at most this many sessions ahead of it. A thousand waiters must not read a thousand sessions
 * each.
 */
const MOST_AHEAD = 16;

/**
 * A glance that takes this long, in ms, shows that this process was suspended. Its {@link BackupHeartbeat}
 * may have withdrawn the ticket meanwhile.
 *
 * Do not lower it: with very many waiters every glance is slow, and extra reads would make it worse.
 */
const BUSY = GLANCE * GLANCES_TO_A_READ;

/** A waiter's place in the queue of a lock, from the moment it enters until it has the lock or gives up. */
export class PlaceInLine {
  readonly #acquisition: Acquisition;
  readonly #context: AcquireContext;
  readonly #signal: AbortSignal;
  readonly #waker: Waker;
  readonly #watch: WaitWatch;
  readonly #trust: Trust;
  /** The session in the ticket of this waiter. */
  #queuedAs: Session | undefined;
  #glances = 0;

  /** `signal` ends the waiting. */
  constructor(acquisition: Acquisition, signal: AbortSignal) {
    const { context } = acquisition;
    this.#acquisition = acquisition;
    this.#context = context;
    this.#signal = signal;
    this.#waker = new Waker(context.clock);
    this.#watch = new WaitWatch(context.channel, context.liveness, this.#waker);
    this.#trust = (session) => (this.#glances === 0 && acquisition.trustsAtFirst) || this.#watch.watches(session);
  }

  /**
   * Resolves to the lock once this waiter has it. If the signal fires first, resolves to the state of the
   * lock and its queue.
   */
  async wait(from: LockView): Promise<Taken | LockView> {
    const { channel, notices, tickets, abandon } = this.#context;
    const { name, token } = this.#acquisition;
    const onAbort = (): void => this.#waker.wake();
    this.#signal.addEventListener("abort", onAbort, { once: true });
    // A waiter that becomes the first watches the lock. A waiter that watches it already looks again.
    const unexpect = notices.expect(token, this.#waker, () => this.#watch.watchLock(name) || this.#waker.wake());
    let view = from;
    try {
      while (!this.#signal.aborted) {
        const outcome = await this.#takeOrQueue(view);
        if ("fence" in outcome) return outcome;
        view = await this.#next(outcome);
      }
      await tickets.leave(name, token);
      const over = await readView(channel, name);
      assertNotCorrupt(channel.name, name, over);
      return over;
    } catch (error) {
      // Leave the queue now: a ticket that stays until the next heartbeat would block the other waiters.
      const leaving = this.#tryToLeave();
      // Await the result only after an error of the owner's writes, as the store answers then. After an error
      // of the store, the ticket may still arrive later.
      const left = !isChannelError(error) && (await leaving);
      if (!left) abandon(name, token);
      throw error;
    } finally {
      this.#signal.removeEventListener("abort", onAbort);
      unexpect();
      this.#watch.stop();
    }
  }

  /** Takes the lock if this waiter is next. Otherwise makes sure that its ticket is in the queue. */
  async #takeOrQueue(from: LockView): Promise<Taken | LockView> {
    let view = from;
    for (;;) {
      const outcome = await this.#acquisition.try(view, this.#trust);
      if ("fence" in outcome) return outcome;
      const session = await this.#context.session();
      if (this.#placeIn(outcome) >= 0 && this.#queuedAs === session) return outcome;
      view = await this.#enter(session, outcome);
    }
  }

  #placeIn({ queue }: LockView): number {
    return (queue?.value.waiting ?? []).findIndex(({ token }) => token === this.#acquisition.token);
  }

  /**
   * Enters the queue at its end. Resolves to the state of the lock and its queue after that. If the lock
   * became free meanwhile, only the first waiter acts, and it looks once its watch is ready.
   */
  async #enter(session: Session, view: LockView): Promise<LockView> {
    const { notices, tickets } = this.#context;
    const { name, token } = this.#acquisition;
    // Listen first: without a listener a turn notice would be lost, and this waiter would wait on beside a
    // free lock.
    await notices.hear(session.id);
    const entered = await this.#acquisition.guarded(tickets.enter(name, session, token, view.queue));
    if (entered.type === "session") {
      await this.#acquisition.settle(session, entered.checked, entered.current);
      return view;
    }
    if (entered.type === "entered") this.#queuedAs = session;
    return { ...view, queue: entered.queue };
  }

  /**
   * Waits until there is a reason to look again. Resolves to the state to use for the next attempt.
   *
   * A turn notice wakes a waiter that becomes the first. From then on its watch of the lock wakes it. Every
   * {@link GLANCE} ms the waiter checks for the death of a process, as no event reports it: the first waiter
   * checks the holder, and every other waiter checks the one ahead of it.
   */
  async #next(view: LockView): Promise<LockView> {
    const { channel, clock } = this.#context;
    const { name } = this.#acquisition;
    const place = this.#placeIn(view);
    if (place === 0) this.#watch.watchLock(name);
    const before = view.queue?.value.waiting[place - 1];
    while (!this.#signal.aborted) {
      const began = clock.monotonic();
      const isBehindOwn = this.#isBehindOwn(before);
      const woken = await this.#waker.next(isBehindOwn ? GLANCE_BEHIND_OWN : GLANCE);
      const busy = clock.monotonic() - began >= BUSY;
      // The lock was deleted. Nobody may take it before this waiter, so attempt without a read.
      if (view.lock !== undefined && this.#watch.freedAfter(view.lock.version)) return { ...view, lock: undefined };
      if (!woken && !busy && this.#isBehindOwn(before)) continue;
      const often = !woken && ++this.#glances % GLANCES_TO_A_READ === 0;
      if (often && this.#glances % GLANCES_TO_A_LOOK_AHEAD === 0) await this.#lookAhead(view, place);
      if (!often && !woken && !busy && channel.supports.watch) {
        this.#watch.watchAhead(view, place);
        if (before === undefined || this.#queuedAs?.alive !== true) return view;
        if (!(await this.#acquisition.isDead(before.session, this.#trust))) continue;
        // The session ahead is dead: take its place. If it was the first, the same commit sends a turn notice
        // to the new first.
        await leaveQueue(channel, name, before);
        // Other sessions may have died with it.
        await this.#lookAhead(view, place - 1, Number.POSITIVE_INFINITY);
      }
      return readView(channel, name);
    }
    return view;
  }

  /**
   * Whether the one ahead waits in this process too, with the same session. What that one watches and reads
   * is enough for both.
   */
  #isBehindOwn(before: Ticket | undefined): boolean {
    const session = this.#queuedAs;
    if (before === undefined || session?.alive !== true || before.session !== session.id) return false;
    return this.#context.notices.isExpected(before.token);
  }

  /**
   * Reads the latest renewals of the sessions ahead. If several of them die at once, their times to live must
   * pass together, not one after the other.
   */
  async #lookAhead({ lock, queue }: LockView, place: number, most: number = MOST_AHEAD): Promise<void> {
    const ahead = new Set((queue?.value.waiting ?? []).slice(0, Math.max(0, place)).map(({ session }) => session));
    if (lock !== undefined) ahead.add(lock.value.holder.instance);
    for (const session of [...ahead].slice(-most)) await this.#context.liveness.isDead(session, { recently: true });
  }

  async #tryToLeave(): Promise<boolean> {
    const { name, token } = this.#acquisition;
    return this.#context.tickets.leave(name, token).then(
      () => true,
      () => false,
    );
  }
}
