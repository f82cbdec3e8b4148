import type { Channel } from "../channel/channel.js";
import { isChannelError } from "../channel/errors.js";
import type { Entry } from "../channel/types.js";
import type { Clock } from "../clock.js";
import { type LocksValue, type LockValue, lifeInStore, type SessionValue, sessionKey } from "./entries.js";
import { readable, unlessForeign } from "./foreign.js";
import type { Pulse } from "./pulse.js";
import { leaveQueue } from "./queue.js";
import { removeEntry } from "./sweep.js";
import { isLock, isQueue, isSession, lockPlace } from "./valid.js";

/** How much later than the timeout of a lock it is ended from here, in ms: a main thread that is free does it itself. */
const GRACE = 100;

/** The least and the most time until the next look, in ms: a timer of setTimeout has its limits. */
const SOONEST = 5;
const LATEST = 60_000;

/** How soon a call that failed is made again, in ms. */
const RETRY = 200;

/** What a stand-in needs. */
export interface StandInOptions {
  /** The id of the session. */
  readonly session: string;
  readonly ttl: number;
  readonly clock: Clock;
  readonly pulse: Pulse;
  /** Opens the channel of the locks: called once it is needed, and again after it failed. */
  open(): Promise<Channel<LocksValue>>;
  /** Whether the main thread answers now. If it does, it has brought `pulse.timeout` up to date. */
  mainAnswers(): Promise<boolean>;
  /** Called for a lock of the session that was held as long as it may be, before it is removed. */
  onTimeout(lock: Entry<LockValue>, locks: Channel<LocksValue>): Promise<void>;
}

/**
 * Keeps a session alive in place of a main thread that does not come to it, because it computes. As long as the main thread renews the session
 * itself, nothing is done here and no connection is open.
 *
 * What the main thread would do meanwhile is done in its place: locks that were held as long as they may be are given back, and tickets in
 * queues are withdrawn, as everybody would wait behind one who does not come.
 */
export class StandIn {
  readonly #options: StandInOptions;
  #channel: Promise<Channel<LocksValue>> | undefined;
  #cancel: () => void = () => {};
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  /** While the main thread does not answer: the timeout that it told, and the one that was found in the store instead. */
  #found: { readonly told: number; readonly timeout: number } | undefined;

  constructor(options: StandInOptions) {
    this.#options = options;
  }

  /** Looks whether there is something to do, now and whenever there may be. */
  look(): void {
    if (this.#looking !== undefined) {
      this.#again = true;
      return;
    }
    this.#cancel();
    this.#looking = this.#lookNow().finally(() => {
      this.#looking = undefined;
      if (this.#again) this.look();
    });
  }

  /** Does nothing more, and closes the channel. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#looking;
    const channel = await this.#channel?.catch(() => undefined);
    await channel?.close();
  }

  async #lookNow(): Promise<void> {
    this.#again = false;
    const { pulse } = this.#options;
    let failed = false;
    try {
      await this.#doWhatIsDue();
    } catch (error) {
      // One that does not mend, such as a password that was changed, is no less true for the main thread: that one tells it.
      if (!isChannelError(error)) throw error;
      failed = true;
    }
    if (this.#stopped || pulse.lost || this.#now() >= pulse.deadline) return;
    const time = failed ? this.#now() + RETRY : Math.min(this.#renewalDue(), this.#timeoutDue());
    pulse.nextLook = time;
    this.#lookAt(time);
    // A timeout that was told between our look at it and our word of when we look next.
    if (!failed && this.#timeoutDue() < time) this.look();
  }

  #lookAt(time: number): void {
    const ms = Math.min(LATEST, Math.max(SOONEST, time - this.#now()));
    this.#cancel = this.#options.clock.after(ms, () => this.look());
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  /** The main thread renews it after a third of its time to live; after half of it something is wrong there. */
  #renewalDue(): number {
    const { pulse, ttl } = this.#options;
    return pulse.deadline - ttl / 2;
  }

  #timeoutDue(): number {
    const { timeout } = this.#options.pulse;
    return (this.#found?.told === timeout ? this.#found.timeout : timeout) + GRACE;
  }

  async #doWhatIsDue(): Promise<void> {
    const behind = this.#now() >= this.#renewalDue();
    if (behind) await this.#renew();
    if (!behind && this.#now() < this.#timeoutDue()) return;
    if (this.#stopped || this.#options.pulse.lost) return;
    const told = this.#options.pulse.timeout;
    if (await this.#options.mainAnswers()) this.#found = undefined;
    else this.#found = { told, timeout: await this.#tend(behind) };
  }

  async #renew(): Promise<void> {
    const { session, ttl, clock, pulse } = this.#options;
    const attempt = new AbortController();
    const cancel = clock.after(ttl / 6, () => attempt.abort());
    const { signal } = attempt;
    try {
      const channel = await this.#open();
      const key = sessionKey(session);
      const entry = await unlessForeign(channel.entry(key, { signal }));
      // It may have been renewed by the main thread after all.
      if (this.#stopped || this.#now() < this.#renewalDue()) return;
      if (entry === undefined || !isSession(entry.value, session)) {
        pulse.lose();
        return;
      }
      const sent = this.#now();
      if (sent >= pulse.deadline) return;
      const value: SessionValue = { ...entry.value, by: "thread" };
      const outcome = await channel.compareAndSet(key, entry.version, value, { ttl: lifeInStore(ttl), signal });
      if (outcome.ok) pulse.renewed(sent + ttl, this.#now());
    } finally {
      cancel();
    }
  }

  #open(): Promise<Channel<LocksValue>> {
    this.#options.pulse.connect();
    const opening = this.#channel ?? this.#options.open();
    this.#channel = opening;
    opening.catch(() => {
      if (this.#channel === opening) this.#channel = undefined;
    });
    return opening;
  }

  /** Does for our locks, and with `tickets` for our tickets, what the main thread does not. Resolves to when the next lock runs out of its time. */
  async #tend(tickets: boolean): Promise<number> {
    const { session, onTimeout } = this.#options;
    const channel = await this.#open();
    let timeout = Number.POSITIVE_INFINITY;
    for await (const entry of readable(channel, { prefix: ["lock"] })) {
      if (this.#stopped) break;
      const place = lockPlace(entry.key);
      if (place === undefined) continue;
      if (place.part === "queue") {
        const waiting = tickets && isQueue(entry.value) ? entry.value.waiting : [];
        for (const ticket of waiting) if (ticket.session === session) await leaveQueue(channel, place.name, ticket);
        continue;
      }
      const lock = entry as Entry<LockValue>;
      if (!isLock(lock.value, place.name) || lock.value.holder.instance !== session) continue;
      if (this.#now() < lock.value.until + GRACE) {
        timeout = Math.min(timeout, lock.value.until);
        continue;
      }
      await onTimeout(lock, channel);
      await removeEntry(channel, lock);
    }
    return timeout;
  }
}
