import { leaveQueue, NEAR } from "../entries/queue.js";
import type { Ticket } from "../entries/schema.js";
import { type LockView, readIfNewer, readView } from "../entries/view.js";
import type { Session } from "../session/session.js";
import { type Acquisition, GLANCE, type Trust } from "./acquisition.js";
import type { WaitWatch } from "./wait-watch.js";

/**
 * How often a waiter that is not near checks the one ahead of it, in ms: fifty idle processes must not wake
 * all the time. A notice tells it when it is near; see {@link NEAR}. Keep it below a second: if more
 * processes die at once than are near, this is how long it takes to pass them.
 */
const GLANCE_FROM_FAR = 4 * GLANCE;

/** A waiter reads the store once in this many glances, in case a notice was lost: when near, and from far. */
export const GLANCES_TO_A_READ = 10;
const GLANCES_FROM_FAR_TO_A_READ = 12;

/** A waiter that is near checks all sessions ahead of it once in this many glances. */
const GLANCES_TO_A_LOOK_AHEAD = 50;

/**
 * A waiter reads at most this many sessions ahead of it. A thousand waiters must not read a thousand sessions
 * each.
 */
const MOST_AHEAD = 16;

/** The tickets ahead of a waiter, and what it makes of them. */
export interface Ahead {
  readonly tickets: readonly Ticket[];
  /** Whether so many sessions are ahead that the waiter looks rarely. */
  readonly isFar: boolean;
}

/**
 * What a waiter checks from time to time, as no event reports the death of a process: the first waiter checks
 * the holder, and every other waiter checks the one ahead of it.
 */
export class Glances {
  /** Trust a session that is watched. The first glance trusts what is known already. */
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
    // A waiter whose neighbour of the same session is gone becomes the first of its session by no notice.
    const isNeverFar = !this.#acquisition.context.channel.supports.watch || before?.session === own;
    if (isNeverFar || before === undefined) return { tickets, isFar: false };
    const sessions = new Set(tickets.map(({ session }) => session));
    sessions.delete(own ?? "");
    return { tickets, isFar: sessions.size >= NEAR };
  }

  /** How long to rest until the next glance, in ms. */
  pause({ tickets, isFar }: Ahead): number {
    const before = tickets.at(-1);
    // The first glance begins to watch the session ahead.
    if (!isFar || before === undefined || this.#count === 0) return GLANCE;
    // Look when the session ahead is over at the latest: the times to live of several dead sessions must not
    // add up to more.
    return Math.max(GLANCE, Math.min(GLANCE_FROM_FAR, this.#acquisition.context.liveness.left(before.session)));
  }

  /**
   * Looks at the one ahead. Resolves to a view to go on with, if there is a reason. `session`: that in the
   * ticket of the waiter.
   */
  async look(view: LockView, ahead: Ahead, session: Session | undefined): Promise<LockView | undefined> {
    const { channel } = this.#acquisition.context;
    const { name } = this.#acquisition;
    const { tickets, isFar } = ahead;
    const before = tickets.at(-1);
    const often = ++this.#count % (isFar ? GLANCES_FROM_FAR_TO_A_READ : GLANCES_TO_A_READ) === 0;
    if (!isFar && this.#count % GLANCES_TO_A_LOOK_AHEAD === 0) await this.#lookAhead(view, tickets);
    if (!often && channel.supports.watch) {
      this.#watch.watchAhead(view, tickets.length);
      if (before === undefined || session?.alive !== true) return view;
      if (!(await this.#acquisition.isDead(before.session, this.trust))) return undefined;
      // The session ahead is dead: take its place. If it was the first, the same commit sends a turn notice
      // to the new first.
      await leaveQueue(channel, name, before);
      // Other sessions may have died with it.
      await this.#lookAhead(view, tickets, Number.POSITIVE_INFINITY);
    }
    return channel.supports.watch ? readIfNewer(channel, name, view) : readView(channel, name);
  }

  /**
   * Reads the latest renewals of the sessions ahead. If several of them die at once, their times to live must
   * pass together, not one after the other.
   */
  async #lookAhead({ lock }: LockView, ahead: readonly Ticket[], most: number = MOST_AHEAD): Promise<void> {
    const { liveness } = this.#acquisition.context;
    const sessions = new Set(ahead.map(({ session }) => session));
    if (lock !== undefined) sessions.add(lock.value.holder.instance);
    for (const session of [...sessions].slice(-most)) await liveness.isDead(session, { recently: true });
  }
}
