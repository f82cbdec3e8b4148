import { isChannelError } from "../../channel/errors.js";
import type { Ticket } from "../entries/schema.js";
import { ticketsOf } from "../entries/valid.js";
import { assertNotCorrupt, type LockView, leaveQueue, NEAR, readIfNewer, readView } from "../entries/view.js";
import type { Session } from "../session/session.js";
import { type AcquireContext, type Acquisition, LIVENESS_POLL, type Taken, type Trust } from "./acquisition.js";
import { WaitWatch, Waker } from "./wait-watch.js";

/**
 * A waiter reads the store once in this many checks, in case a notice was lost. The first number is for a
 * waiter that is near the front of the queue, see {@link NEAR}; the second is for all others.
 */
const POLLS_TO_A_READ = 10;
const POLLS_FROM_FAR_TO_A_READ = 12;

/**
 * How often a waiter checks, in ms, if another waiter of its process is ahead of it. That waiter makes all
 * other checks for both, and wakes this one when it leaves the queue.
 */
const POLL_BEHIND_OWN = 150 * LIVENESS_POLL;

/**
 * A check this late, in ms, shows a suspension, in which {@link BackupHeartbeat} may withdraw the ticket.
 *
 * Do not lower it: with very many waiters every check is slow, and extra reads would make it worse.
 */
const LATE = LIVENESS_POLL * (POLLS_TO_A_READ - 1);

/** A waiter's place in the queue of a lock, from the moment it enters until it has the lock or gives up. */
export class PlaceInLine {
  readonly #acquisition: Acquisition;
  readonly #context: AcquireContext;
  readonly #signal: AbortSignal;
  readonly #waker: Waker;
  readonly #watch: WaitWatch;
  readonly #poll: LivenessPoll;
  readonly #since: number;
  /** The session in the ticket of this waiter. */
  #queuedAs: Session | undefined;
  /** Whether this waiter is the first of its queue, as far as it knows, and watches the lock. */
  #isFirst = false;
  /** The view that another waiter of this process passed to this one when it took the lock. */
  #handedOn: LockView | undefined;
  /** Whether this waiter is resting, and relies on another waiter of this process that is ahead of it. */
  #reliesOnOwn = false;

  /** `signal` ends the waiting. */
  constructor(acquisition: Acquisition, signal: AbortSignal) {
    const { context } = acquisition;
    this.#acquisition = acquisition;
    this.#context = context;
    this.#signal = signal;
    this.#since = context.clock.now();
    this.#waker = new Waker(context.clock);
    this.#watch = new WaitWatch(context.channel, context.liveness, this.#waker);
    this.#poll = new LivenessPoll(acquisition, this.#watch);
  }

  /** Resolves to the lock once this waiter has it; to the lock and its queue if the signal fires first. */
  async wait(from: LockView): Promise<Taken | LockView> {
    const { channel, notices, tickets, abandon } = this.#context;
    const { name, token } = this.#acquisition;
    const onAbort = (): void => this.#waker.wake();
    this.#signal.addEventListener("abort", onAbort, { once: true });
    const unexpect = notices.expect(token, this.#waker, (view) => this.#called(view));
    let view = from;
    let handedOn = false;
    try {
      while (!this.#signal.aborted) {
        const outcome = await this.#takeOrQueue(view);
        if ("fence" in outcome) {
          // Pass the view on before the watch stops: the next waiter of this process can then use it.
          handedOn = notices.handOn(outcome.view);
          return outcome;
        }
        view = await this.#next(outcome);
      }
      await tickets.leave(name, token);
      const over = await readView(channel, name);
      assertNotCorrupt(channel.name, name, over);
      return over;
    } catch (error) {
      // Leave the queue now: a ticket that stays until the next heartbeat would block the other waiters.
      const leaving = this.#tryToLeave();
      // Await the result only if the error comes from the owner's writes: then the store answers. After an
      // error of the store, a delayed ticket may still enter the queue, so the cleanup must remove it.
      const left = !isChannelError(error) && (await leaving);
      if (!left) abandon(name, token);
      throw error;
    } finally {
      this.#signal.removeEventListener("abort", onAbort);
      unexpect();
      // The waiter behind relied on this one.
      if (!handedOn) notices.wakeBehind(token);
      this.#queuedAs?.offOver(this.#onSessionOver);
      this.#watch.stop();
    }
  }

  /** A waiter that becomes the first watches the lock. A waiter that watches it already checks again. */
  #called(view: LockView | undefined): void {
    if (view === undefined) {
      // The waiter ahead is of this process. It hands its view on, or wakes this one when it gives up.
      if (this.#isFirst || this.#reliesOnOwn) return;
    } else {
      this.#isFirst = true;
      this.#handedOn = view;
      if (view.lock !== undefined) this.#watch.knows(view.lock.version);
    }
    const isNew = this.#watch.watchLock(this.#acquisition.name);
    if (!isNew || view === undefined) this.#waker.wake();
  }

  readonly #onSessionOver = (): void => this.#waker.wake();

  /** Takes the lock if this waiter is next. Otherwise makes sure that its ticket is in the queue. */
  async #takeOrQueue(from: LockView): Promise<Taken | LockView> {
    let view = from;
    for (;;) {
      const outcome = await this.#acquisition.try(view, this.#poll.trust);
      if ("fence" in outcome) return outcome;
      const session = await this.#context.session();
      if (this.#placeIn(outcome) >= 0 && this.#queuedAs === session) return outcome;
      view = await this.#enter(session, outcome);
    }
  }

  #placeIn({ queue }: LockView): number {
    return ticketsOf(queue?.value).findIndex(({ token }) => token === this.#acquisition.token);
  }

  /**
   * Enters the queue at its end. Resolves to the state of the lock and its queue after that. A lock that
   * became free meanwhile is taken only by the first waiter, once its watch of the lock is ready.
   */
  async #enter(session: Session, view: LockView): Promise<LockView> {
    const { notices, tickets } = this.#context;
    const { name, token, note } = this.#acquisition;
    this.#isFirst = false;
    // The ticket was removed from the queue. The ticket of the next waiter of this process may be gone too.
    notices.wakeBehind(token);
    // Listen first: a turn notice without a listener would be lost, and the free lock never taken.
    await notices.hear(session.id);
    const entered = await this.#acquisition.guarded(
      tickets.enter(name, session, { token, since: this.#since, ...(note !== undefined && { note }) }, view.queue),
    );
    if (entered.type === "session") {
      await this.#acquisition.settle(session, entered.checked, entered.current);
      return view;
    }
    if (entered.type === "entered") this.#isQueuedAs(session);
    return { ...view, queue: entered.queue };
  }

  #isQueuedAs(session: Session): void {
    this.#queuedAs?.offOver(this.#onSessionOver);
    this.#queuedAs = session;
    session.onOver(this.#onSessionOver);
  }

  /**
   * Waits until there is a reason to check again. Resolves to the state to use for the next attempt.
   *
   * A turn notice wakes a waiter that becomes the first. From then on its watch of the lock wakes it. From
   * time to time the waiter checks whether a process died: see {@link LivenessPoll}.
   */
  async #next(view: LockView): Promise<LockView> {
    const { name } = this.#acquisition;
    const place = this.#placeIn(view);
    this.#isFirst = place === 0;
    if (this.#isFirst) this.#watch.watchLock(name);
    const tickets = ticketsOf(view.queue?.value).slice(0, Math.max(0, place));
    const own = this.#ownAhead(tickets);
    const ahead = this.#poll.ahead(tickets, this.#queuedAs?.id);
    while (!this.#signal.aborted) {
      if (this.#isFree(view)) return { ...view, lock: undefined };
      const pause = this.#reliesOn(own) ? POLL_BEHIND_OWN : this.#poll.pause(ahead);
      const began = this.#context.clock.monotonic();
      const woken = await this.#rest(own, pause);
      const isLate = this.#context.clock.monotonic() - began - pause >= LATE;
      const handedOn = this.#handedOn;
      this.#handedOn = undefined;
      if (handedOn !== undefined) return handedOn;
      if (!woken && !isLate && this.#reliesOn(own)) continue;
      if (this.#isFree(view)) continue;
      if (woken || isLate) return readView(this.#context.channel, name);
      const polled = await this.#poll.look(view, ahead, this.#queuedAs);
      if (polled !== undefined) return polled;
    }
    return view;
  }

  /**
   * Whether the lock was deleted after this view was read. Only the first waiter may take it then, so it
   * tries without another read. Any other waiter must read first: others have left the queue by now, so its
   * view is out of date.
   */
  #isFree({ lock }: LockView): boolean {
    return this.#isFirst && lock !== undefined && this.#watch.freedAfter(lock.version);
  }

  /** Rests until it is woken, or for `ms`. Resolves to whether it was woken. */
  async #rest(own: Ticket | undefined, ms: number): Promise<boolean> {
    if (own === undefined || !this.#reliesOn(own)) return this.#waker.next(ms);
    const unfollow = this.#context.notices.follow(own.token, this.#waker);
    this.#reliesOnOwn = true;
    try {
      return await this.#waker.next(ms);
    } finally {
      this.#reliesOnOwn = false;
      unfollow();
    }
  }

  /** The nearest waiter ahead that waits in this process too, with the same session. */
  #ownAhead(ahead: readonly Ticket[]): Ticket | undefined {
    return ahead.findLast((ticket) => this.#reliesOn(ticket));
  }

  /**
   * Whether the ticket is of a waiter of this process with the same session. This waiter cannot be the first
   * while that one waits. The watches and reads of that one are enough for both.
   */
  #reliesOn(ticket: Ticket | undefined): boolean {
    const session = this.#queuedAs;
    if (ticket === undefined || session?.alive !== true || ticket.session !== session.id) return false;
    return this.#context.notices.isExpected(ticket.token);
  }

  async #tryToLeave(): Promise<boolean> {
    const { name, token } = this.#acquisition;
    return this.#context.tickets.leave(name, token).then(
      () => true,
      () => false,
    );
  }
}

/**
 * How often a waiter that is not near checks the one ahead of it, in ms: fifty idle processes must not wake
 * all the time. A notice wakes it when it becomes near; see {@link NEAR}. Keep this value below a second: if
 * all near processes die at once, the waiters behind them find out only after this time.
 */
const POLL_FROM_FAR = 4 * LIVENESS_POLL;

/** A waiter that is near checks all sessions ahead of it once in this many checks. */
const POLLS_TO_A_CHECK_AHEAD = 50;

/** A waiter reads at most this many sessions ahead: a thousand waiters must not read a thousand each. */
const MOST_AHEAD = 16;

/** The tickets ahead of a waiter, and its distance. */
interface Ahead {
  readonly tickets: readonly Ticket[];
  /** Whether so many sessions are ahead that the waiter checks rarely. */
  readonly isFar: boolean;
}

/** The periodic checks of a waiter for deaths: the first checks the holder, others the one ahead. */
class LivenessPoll {
  /** Trust a session that is watched. The first check trusts older data too. */
  readonly trust: Trust;
  readonly #acquisition: Acquisition;
  readonly #watch: WaitWatch;
  #count = 0;

  constructor(acquisition: Acquisition, watch: WaitWatch) {
    this.#acquisition = acquisition;
    this.#watch = watch;
    this.trust = (session) => (this.#count === 0 && acquisition.trustsAtFirst) || watch.watches(session);
  }

  /** `own`: the session in the ticket of the waiter. */
  ahead(tickets: readonly Ticket[], own: string | undefined): Ahead {
    const before = tickets.at(-1);
    // If the waiter directly ahead has the same session, check often: when it leaves, this waiter becomes the
    // first of its session, and no notice reports that.
    const isNeverFar = !this.#acquisition.context.channel.supports.watch || before?.session === own;
    if (isNeverFar || before === undefined) return { tickets, isFar: false };
    const sessions = new Set(tickets.map(({ session }) => session));
    sessions.delete(own ?? "");
    return { tickets, isFar: sessions.size >= NEAR };
  }

  /** How long to rest until the next check, in ms. */
  pause({ tickets, isFar }: Ahead): number {
    const before = tickets.at(-1);
    // Make the first check soon: it starts the watch of the session ahead.
    if (!isFar || before === undefined || this.#count === 0) return LIVENESS_POLL;
    // Check by the end of the session ahead: the times to live of several dead sessions must not add up.
    return Math.max(LIVENESS_POLL, Math.min(POLL_FROM_FAR, this.#acquisition.context.liveness.left(before.session)));
  }

  /**
   * Checks the waiter ahead. Resolves to the view for the next attempt; `undefined` if there is no reason for
   * one. `session`: the session in this waiter's ticket.
   */
  async look(view: LockView, ahead: Ahead, session: Session | undefined): Promise<LockView | undefined> {
    const { channel } = this.#acquisition.context;
    const { name } = this.#acquisition;
    const { tickets, isFar } = ahead;
    const before = tickets.at(-1);
    const often = ++this.#count % (isFar ? POLLS_FROM_FAR_TO_A_READ : POLLS_TO_A_READ) === 0;
    if (!isFar && this.#count % POLLS_TO_A_CHECK_AHEAD === 0) await this.#lookAhead(view, tickets);
    if (!often && channel.supports.watch) {
      this.#watch.watchAhead(view, tickets.length);
      if (before === undefined || session?.alive !== true) return view;
      if (!(await this.#acquisition.isDead(before.session, this.trust))) return undefined;
      // The session ahead is dead: take its place. If it was first, the commit notifies the new first.
      await leaveQueue(channel, name, before);
      // Other sessions may have died with it.
      await this.#lookAhead(view, tickets, Number.POSITIVE_INFINITY);
    }
    return channel.supports.watch ? readIfNewer(channel, name, view) : readView(channel, name);
  }

  /** Reads the renewals of the sessions ahead: if several die, their times must pass together. */
  async #lookAhead({ lock }: LockView, ahead: readonly Ticket[], most: number = MOST_AHEAD): Promise<void> {
    const { liveness } = this.#acquisition.context;
    const sessions = new Set(ahead.map(({ session }) => session));
    if (lock !== undefined) sessions.add(lock.value.holder.instance);
    for (const session of [...sessions].slice(-most)) await liveness.isDead(session, { recently: true });
  }
}
