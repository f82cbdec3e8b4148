import type { Channel } from "../channel/channel.js";
import { ChannelError } from "../channel/errors.js";
import { type Clock, systemClock } from "../clock.js";
import type { LocksValue } from "./entries.js";
import type { HeartbeatOrigins } from "./heartbeat-thread.js";
import { Session } from "./session.js";

/** What a session needs to know of the locks that are held in it. */
export interface SessionUse {
  readonly ttl: number;
  /** Whether a thread may renew it while the program is busy. */
  readonly thread: boolean;
  /** Where the records of the holders are. */
  readonly jobs: Channel<unknown> | undefined;
  /** When the first lease runs out of its time, by the monotonic clock. */
  earliestTimeout(): number;
  onBeat(): Promise<void>;
}

/** The one session in which all locks of this object are taken: opened when the first is wanted, and anew when it is over. */
export class CurrentSession {
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #use: SessionUse;
  #session: Promise<Session> | undefined;
  #closed = false;

  constructor(channel: Channel<LocksValue>, clock: Clock, use: SessionUse) {
    this.#channel = channel;
    this.#clock = clock;
    this.#use = use;
  }

  /** The living session. */
  async current(): Promise<Session> {
    if (this.#closed) throw closedError();
    const opening = this.#session;
    const current = await opening;
    if (current?.alive === true) return current;
    if (this.#closed) throw closedError();
    current?.expire();
    // Several callers may come here at once: the first one opens, the others join.
    if (this.#session === opening) this.#session = this.#openNext();
    return this.current();
  }

  #openNext(): Promise<Session> {
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
    // This process may have stood still. Where the store is that slow, the third would fare no better, and whoever waits for it would wait for ever.
    if (!session.alive) session = await open();
    if (!session.alive) throw tooSlow(ttl);
    const origins = this.#heartbeatOrigins();
    if (origins !== undefined && !this.#closed) session.keepByThread(origins, earliestTimeout);
    return session;
  }

  /** Where a thread finds what it keeps alive; `undefined` where none is needed or possible. */
  #heartbeatOrigins(): HeartbeatOrigins | undefined {
    const { thread, jobs } = this.#use;
    if (!thread || this.#clock !== systemClock || this.#channel.supports.shared === "process") return undefined;
    const locks = this.#channel.origin;
    if (locks === undefined) return undefined;
    if (jobs === undefined) return { locks };
    const origin = jobs.origin;
    return origin && { locks, jobs: origin };
  }

  /** From here on there is none for anybody. One that is open lives on until {@link CurrentSession.end}. */
  close(): void {
    this.#closed = true;
  }

  /** Removes it from the store. */
  async end(): Promise<void> {
    const session = await this.#session;
    await session?.close();
  }

  /** Lets it run out in the store. */
  async abandon(): Promise<void> {
    (await this.#session?.catch(() => undefined))?.lose("it was closed");
  }
}

export function closedError(): ChannelError {
  return new ChannelError("CLOSED", "these locks are closed");
}

function tooSlow(ttl: number): ChannelError {
  const text = `the store took longer to answer than a session lives (ttl ${ttl} ms): no lock can be held so`;
  return new ChannelError("TIMEOUT", text, { retryable: true });
}
