import { inBackground } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import { ChannelError, isChannelError } from "../../channel/errors.js";
import { type Clock, systemClock } from "../../util/clock.js";
import { durationText } from "../../util/duration.js";
import type { LocksValue } from "../entries/schema.js";
import type { HeartbeatLocators } from "./heartbeat-thread.js";
import { Session } from "./session.js";

/** What a session needs from the locks that it holds. */
interface SessionUse {
  readonly ttl: number;
  /** Whether a thread may renew the session while the main thread is busy. */
  readonly thread: boolean;
  /** The channel of the owners' records. The thread closes the records of the locks that it ends. */
  readonly records: Channel<unknown> | undefined;
  /** The end of the earliest timeout of all held leases, by the monotonic clock. */
  earliestTimeout(): number;
  /** Called with each renewal. Call the result once the renewal was answered. */
  onBeat(): () => Promise<void>;
}

/**
 * The one session that holds all locks of a {@link Locks}. Opens it at the first use, and a new one when it
 * is over. An unused session ends, so a process without locks costs the store nothing.
 */
export class CurrentSession {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #use: SessionUse;
  #session: Promise<Session> | undefined;
  /** The session that `#session` resolved to, once {@link current} has returned it. */
  #known: Session | undefined;
  /** The end of the last session that was ended because it was unused. */
  #resting: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(channel: Channel<LocksValue>, clock: Clock, use: SessionUse) {
    this.#channel = channel;
    this.#clock = clock;
    this.#use = use;
  }

  /** The living session, if it is known to be open. Otherwise use {@link current}. */
  get living(): Session | undefined {
    return !this.#closed && this.#known?.alive === true ? this.#known : undefined;
  }

  /** The living session. Opens one if there is none; concurrent callers share it. */
  async current(): Promise<Session> {
    if (this.#closed) throw closedError();
    const opening = this.#session;
    const current = await opening;
    if (current?.alive === true) {
      // The session may have ended as unused meanwhile: then the next caller needs a new one.
      if (this.#session === opening) this.#known = current;
      return current;
    }
    if (this.#closed) throw closedError();
    current?.expire();
    // Several callers may get here at once: the first one opens the session, and the others join.
    if (this.#session === opening) this.#session = this.#openNext();
    return this.current();
  }

  #openNext(): Promise<Session> {
    this.#known = undefined;
    const opening = this.#openLiving();
    opening.catch(() => {
      if (this.#session === opening) this.#session = undefined;
    });
    return opening;
  }

  async #openLiving(): Promise<Session> {
    const { ttl, onBeat, earliestTimeout } = this.#use;
    const open = (): Promise<Session> => Session.open(this.#channel, this.#clock, ttl, onBeat);
    let session = await open();
    // Try twice: this process may have been suspended during the first try. If the store is too slow, a third
    // try would fail too, and the caller would wait forever.
    if (!session.alive) session = await open();
    if (!session.alive) throw tooSlow(ttl);
    const locators = this.#heartbeatLocators();
    if (locators !== undefined && !this.#closed) session.keepByThread(locators, earliestTimeout);
    return session;
  }

  /** How a thread opens the same channels; `undefined` if a thread is not needed or not possible. */
  #heartbeatLocators(): HeartbeatLocators | undefined {
    const { thread, records } = this.#use;
    if (!thread || this.#clock !== systemClock || this.#channel.supports.shared === "process") return undefined;
    const locks = this.#channel.locator;
    if (locks === undefined) return undefined;
    if (records === undefined) return { locks };
    const { locator } = records;
    return locator && { locks, records: locator };
  }

  /**
   * Ends the session; the next use opens another one. Call it in the turn of the event loop in which the
   * session becomes unused: any later caller gets a new one.
   */
  rest(): void {
    const session = this.#session;
    this.#session = undefined;
    this.#known = undefined;
    // If the store is away, the entry expires by itself.
    this.#resting = inBackground(async () => (await session)?.close());
  }

  /** Refuses new sessions; an open one lives until {@link CurrentSession.endAfter}. */
  close(): void {
    this.#closed = true;
  }

  /** Runs `rest` with the session, then removes it from the store; if that fails, it expires by itself. */
  async endAfter(rest: () => Promise<void>): Promise<void> {
    try {
      await rest().catch(async (error: unknown) => {
        // If the store answers, end the session: the entries that could not be removed then die with it.
        if (!isChannelError(error) || !error.retryable) await this.#end();
        throw error;
      });
      await this.#end();
    } catch (error) {
      await this.#abandon();
      if (!isChannelError(error)) throw error;
    }
  }

  async #end(): Promise<void> {
    await this.#resting;
    const session = await this.#session;
    await session?.close();
  }

  /** Ends the session in this process. Its entry expires in the store. */
  async #abandon(): Promise<void> {
    (await this.#session?.catch(() => undefined))?.lose("it was closed");
  }
}

export function closedError(): ChannelError {
  return new ChannelError("CLOSED", "these locks are closed");
}

function tooSlow(ttl: number): ChannelError {
  const text = `the store took longer to answer than a session lives (ttl ${durationText(ttl)}), so no lock can be held. Raise ttl, or find out why the store is slow`;
  return new ChannelError("TIMEOUT", text, { retryable: true });
}

/** A session ends after this many heartbeats without a use: one `ttl`. */
const IDLE_BEATS = 3;

/** Counts the uses of the session, so that an unused session can end. */
export class SessionUses {
  #inUse = 0;
  #begun = 0;
  #begunAtLastBeat = 0;
  #idleBeats = 0;

  /** Call it before a call gets the session. */
  begin(): void {
    this.#inUse++;
    this.#begun++;
  }

  /** Call it when that call is over. */
  end(): void {
    this.#inUse--;
  }

  /** Runs work that needs the session. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  /**
   * Call it at each heartbeat. Returns true if the session was unused for a few heartbeats. `isNeeded`: a
   * lock or a leftover in the store still depends on the session.
   */
  areOver(isNeeded: boolean): boolean {
    const isIdle = !isNeeded && this.#inUse === 0 && this.#begun === this.#begunAtLastBeat;
    this.#begunAtLastBeat = this.#begun;
    this.#idleBeats = isIdle ? this.#idleBeats + 1 : 0;
    return this.#idleBeats >= IDLE_BEATS;
  }
}
