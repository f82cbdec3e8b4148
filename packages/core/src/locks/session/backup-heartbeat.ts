import type { Channel } from "../../channel/channel.js";
import { readable, unlessCorrupt } from "../../channel/corrupt.js";
import { isChannelError } from "../../channel/errors.js";
import type { Entry } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import { type LocksValue, type LockValue, lifeInStore, type SessionValue, sessionKey } from "../entries/schema.js";
import { isLock, isSession, lockPlace, removeEntry, ticketsOf } from "../entries/valid.js";
import { leaveQueue } from "../entries/view.js";
import type { SharedDeadline } from "./heartbeat-thread.js";

/** How long after its timeout the thread ends a lock, in ms. A free main thread ends it earlier. */
const GRACE = 100;

/** The shortest and longest time until the next check, in ms. `setTimeout` fires at once above its limit. */
const SOONEST = 5;
const LATEST = 60_000;

/** The pause before a failed call is repeated, in ms. */
const RETRY = 200;

/** Options of {@link BackupHeartbeat}. */
export interface BackupHeartbeatOptions {
  readonly session: string;
  readonly ttl: number;
  readonly clock: Clock;
  readonly deadlines: SharedDeadline;
  /** Opens the channel of the locks. Called at the first need, and again after a failure. */
  open(): Promise<Channel<LocksValue>>;
  /** Whether the main thread answers now. If it does, it has also updated `deadlines.timeout`. */
  mainAnswers(): Promise<boolean>;
  /** Called for a lock of the session whose timeout passed, before the lock is removed. */
  onTimeout(lock: Entry<LockValue>, locks: Channel<LocksValue>): Promise<void>;
}

/**
 * Keeps a session alive while the main thread is busy. While the main thread renews the session in time, this
 * class does nothing and opens no connection.
 *
 * It also does the other duties of a busy main thread. It releases locks whose timeout passed. It withdraws
 * the session's tickets from all queues, because a waiter that cannot act would block all waiters behind it.
 */
export class BackupHeartbeat {
  readonly #options: BackupHeartbeatOptions;
  #channel: Promise<Channel<LocksValue>> | undefined;
  #cancel: () => void = () => {};
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  /** While the main thread does not answer: the timeout that it last reported, and that in the store. */
  #found: { readonly reported: number; readonly timeout: number } | undefined;
  /**
   * Set while tickets must be withdrawn: after a renewal by this thread, until they are withdrawn or the main
   * thread answers. Without this flag, a retry after an error would find the session renewed, and leave the
   * tickets in the queues for half a `ttl`.
   */
  #withdrawing = false;

  constructor(options: BackupHeartbeatOptions) {
    this.#options = options;
  }

  /** Checks now whether there is work, and sets a timer for the time at which there may be work next. */
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

  /** Stops checking, and closes the channel. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#looking;
    const channel = await this.#channel?.catch(() => undefined);
    await channel?.close();
  }

  async #lookNow(): Promise<void> {
    this.#again = false;
    const { deadlines } = this.#options;
    let failed = false;
    try {
      await this.#doWhatIsDue();
    } catch (error) {
      // Drop the error. If it lasts, such as a wrong password, the main thread meets it and reports it.
      if (!isChannelError(error)) throw error;
      failed = true;
    }
    if (this.#stopped || deadlines.lost || this.#now() >= deadlines.deadline) return;
    const due = Math.min(this.#connectionDue(), this.#renewalDue(), this.#timeoutDue());
    const time = failed ? this.#now() + RETRY : due;
    deadlines.nextLook = time;
    this.#lookAt(time);
    // Check again: the main thread may have reported a timeout before it could read `nextLook`.
    if (!failed && this.#timeoutDue() < time) this.look();
  }

  #lookAt(time: number): void {
    const ms = Math.min(LATEST, Math.max(SOONEST, time - this.#now()));
    this.#cancel = this.#options.clock.after(ms, () => this.look());
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  /**
   * The main thread renews the session after a third of its `ttl`. If it is late by a twelfth, connect to the
   * store: on a busy machine that takes up to a second, which a renewal should not have to wait for.
   */
  #connectionDue(): number {
    const { deadlines, ttl } = this.#options;
    return this.#channel === undefined ? deadlines.deadline - (ttl * 7) / 12 : Number.POSITIVE_INFINITY;
  }

  /** Half a `ttl` after the last renewal, the main thread must be busy. */
  #renewalDue(): number {
    const { deadlines, ttl } = this.#options;
    return deadlines.deadline - ttl / 2;
  }

  #timeoutDue(): number {
    const { timeout } = this.#options.deadlines;
    return (this.#found?.reported === timeout ? this.#found.timeout : timeout) + GRACE;
  }

  async #doWhatIsDue(): Promise<void> {
    if (this.#now() >= this.#connectionDue()) await this.#open();
    const behind = this.#now() >= this.#renewalDue();
    if (behind) {
      await this.#renew();
      this.#withdrawing = true;
    }
    if (!this.#withdrawing && this.#now() < this.#timeoutDue()) return;
    if (this.#stopped || this.#options.deadlines.lost) return;
    const reported = this.#options.deadlines.timeout;
    if (await this.#options.mainAnswers()) this.#found = undefined;
    else this.#found = { reported, timeout: await this.#tend(this.#withdrawing) };
    this.#withdrawing = false;
  }

  async #renew(): Promise<void> {
    const { session, ttl, clock, deadlines } = this.#options;
    // The time of an attempt starts when the store is open: loading a driver takes seconds on a busy machine.
    const channel = await this.#open();
    const attempt = new AbortController();
    const cancel = clock.after(ttl / 6, () => attempt.abort());
    const { signal } = attempt;
    try {
      const key = sessionKey(session);
      const entry = await unlessCorrupt(channel.entry(key, { signal }));
      // The main thread may have renewed the session meanwhile.
      if (this.#stopped || this.#now() < this.#renewalDue()) return;
      if (entry === undefined || !isSession(entry.value, session)) {
        deadlines.lose();
        return;
      }
      const sent = this.#now();
      if (sent >= deadlines.deadline) return;
      const value: SessionValue = { ...entry.value, by: "thread" };
      const outcome = await channel.compareAndSet(key, entry.version, value, { ttl: lifeInStore(ttl), signal });
      if (outcome.ok) deadlines.renewed(sent + ttl, this.#now());
    } finally {
      cancel();
    }
  }

  #open(): Promise<Channel<LocksValue>> {
    this.#options.deadlines.connect();
    const opening = this.#channel ?? this.#options.open();
    this.#channel = opening;
    opening.catch(() => {
      if (this.#channel === opening) this.#channel = undefined;
    });
    return opening;
  }

  /** Releases overdue locks; with `tickets`, also withdraws these. Resolves to the next timeout's end. */
  async #tend(tickets: boolean): Promise<number> {
    const { session, onTimeout } = this.#options;
    const channel = await this.#open();
    let timeout = Number.POSITIVE_INFINITY;
    for await (const entry of readable(channel, { prefix: ["lock"] })) {
      if (this.#stopped) break;
      const place = lockPlace(entry.key);
      if (place === undefined) continue;
      if (place.part === "queue") {
        const waiting = tickets ? ticketsOf(entry.value) : [];
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
