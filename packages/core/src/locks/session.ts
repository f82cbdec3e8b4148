import type { Channel } from "../channel/channel.js";
import { isChannelError } from "../channel/errors.js";
import type { Version } from "../channel/types.js";
import { compareVersions } from "../channel/version.js";
import { type Clock, systemClock } from "../clock.js";
import { processIdentity } from "../host.js";
import { callKey, type Holder, type LocksValue, lifeInStore, type SessionValue, sessionKey } from "./entries.js";
import { isForeign } from "./foreign.js";
import { type HeartbeatOrigins, HeartbeatThread } from "./heartbeat-thread.js";
import { livingHere } from "./liveness.js";

/** How soon a renewal that failed is tried again, in ms. */
const RETRY = 200;

/** Why a session is over whose entry is not as we left it. */
const REMOVED = "its entry was removed from the store";

/** By how much a timer must be late, in ms, to say that the process did not come to it. */
const LATE = 50;

/**
 * The presence of a process: one entry with a time to live, renewed by one heartbeat for all the locks that it holds.
 *
 * Its owner counts its life by the local monotonic clock from the moment the last successful renewal was *sent*. The store begins
 * to count later, and to a little more, so the owner knows first, and needs no answer from the store to know.
 */
export class Session {
  readonly id: string;
  readonly holder: Holder;
  /** The version of the entry: checked by every acquisition, so that a session that is gone takes no lock. */
  version: Version;
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #ttl: number;
  /** How long the session lives without being renewed. */
  readonly #life: number;
  /** Told when the session is over. */
  readonly #onOver: Set<(why: string) => void> = new Set();
  #why: string | undefined;
  readonly #since: number;
  readonly #afterBeat: () => Promise<void>;
  /** When each renewal that has no answer yet was sent. */
  readonly #unanswered: Map<number, number> = new Map();
  /** The thread that renews the session when this one does not come to it. */
  #thread: HeartbeatThread | undefined;
  #following = false;
  /** Why the last renewal failed, if it did. */
  #trouble: string | undefined;
  #beat = 0;
  #deadline: number;
  #cancelDeadline: () => void = () => {};
  #cancelBeat: () => void = () => {};

  private constructor(channel: Channel<LocksValue>, clock: Clock, ttl: number, afterBeat: () => Promise<void>) {
    const identity = processIdentity();
    this.id = `${identity.pid}-${clock.random(10)}`;
    this.holder = { host: identity.host, pid: identity.pid, instance: this.id };
    this.version = "";
    this.#channel = channel;
    this.#clock = clock;
    this.#ttl = ttl;
    this.#since = clock.now();
    this.#afterBeat = afterBeat;
    // Nobody else can open such a store as long as this process lives: there is nobody to whom silence could mean anything. A loop that is
    // blocked must not cost the locks, and what another process left there is known to be dead. An injected clock has processes of its own.
    const alone = channel.supports.shared === "process" && clock === systemClock;
    this.#life = alone ? Number.POSITIVE_INFINITY : ttl;
    this.#deadline = clock.monotonic() + this.#life;
  }

  /** Enters a new session. `afterBeat` is called after each renewal. */
  static async open(
    channel: Channel<LocksValue>,
    clock: Clock,
    ttl: number,
    afterBeat: () => Promise<void>,
  ): Promise<Session> {
    const session = new Session(channel, clock, ttl, afterBeat);
    livingHere.add(session.id);
    try {
      session.version = await channel.set(sessionKey(session.id), session.#value(), session.#expiry());
    } catch (error) {
      livingHere.delete(session.id);
      throw error;
    }
    session.#armDeadline();
    session.#armBeat(ttl / 3);
    return session;
  }

  /** Why the session is over; `undefined` as long as it is not. */
  get over(): string | undefined {
    return this.#why;
  }

  /** Calls `callback` when the session is over: not renewed in time, removed by somebody, or closed. */
  onOver(callback: (why: string) => void): void {
    if (this.#why !== undefined) callback(this.#why);
    else this.#onOver.add(callback);
  }

  /** Ends what {@link onOver} began. */
  offOver(callback: (why: string) => void): void {
    this.#onOver.delete(callback);
  }

  /** Whether the session lives, by the local clock alone. */
  get alive(): boolean {
    if (this.#why !== undefined || this.#thread?.pulse.lost === true) return false;
    const now = this.#clock.monotonic();
    return now < this.#deadline || now < this.#due();
  }

  /** Until when it lives, by the renewals of whichever thread. */
  #due(): number {
    return Math.max(this.#deadline, this.#thread?.pulse.deadline ?? 0);
  }

  /** From now on a thread renews the session when this one does not come to it. `earliest` tells when the first lease runs out of its time. */
  keepByThread(origins: HeartbeatOrigins, earliest: () => number): void {
    if (!this.alive) return;
    this.#thread = new HeartbeatThread({ origins, session: this.id, ttl: this.#ttl }, this.#deadline, earliest);
  }

  /** A lock was taken that runs out of its time at `until`. */
  holds(until: number): void {
    this.#thread?.taken(until);
  }

  #expiry(): { readonly ttl?: number } {
    return Number.isFinite(this.#life) ? { ttl: lifeInStore(this.#ttl) } : {};
  }

  #value(): SessionValue {
    return { id: this.id, process: processIdentity(), since: this.#since, beat: this.#beat };
  }

  #armDeadline(): void {
    this.#cancelDeadline();
    if (!Number.isFinite(this.#life)) return;
    // A timer that is due already would come a turn of the event loop later, behind what the others do.
    if (!this.alive) {
      this.expire();
      return;
    }
    const left = this.#due() - this.#clock.monotonic();
    this.#cancelDeadline = this.#clock.after(Math.max(0, left), () => {
      if (this.alive) this.#armDeadline();
      else this.expire();
    });
  }

  /** Ends the session if its time is over, although a program that was busy has not let the timer fire. */
  expire(): void {
    if (this.#why !== undefined || this.alive) return;
    if (this.#thread?.pulse.lost === true) this.lose(REMOVED);
    else this.lose(this.#notRenewed());
  }

  #notRenewed(): string {
    const late = this.#clock.monotonic() - this.#due();
    const ttl = `${this.#ttl} ms`;
    if (late >= LATE) {
      return `this process stood still or was busy, and did not renew it for ${Math.round(late)} ms more than ${ttl}`;
    }
    const trouble = this.#trouble === undefined ? "" : `. The last one failed: ${this.#trouble}`;
    return `no renewal of it was answered for ${ttl}${trouble}`;
  }

  #armBeat(ms: number): void {
    this.#cancelBeat = this.#clock.after(ms, () => void this.#renew());
  }

  /** Never throws: what fails is tried again until the deadline, which needs no store to pass. */
  async #renew(): Promise<void> {
    if (!this.alive) return this.expire();
    const sent = this.#clock.monotonic();
    this.#unanswered.set(++this.#beat, sent);
    // One attempt must not use up the time of the next: a store that hangs may answer a new connection.
    const attempt = new AbortController();
    const cancel = this.#clock.after(this.#ttl / 3, () => attempt.abort());
    try {
      const options = { ...this.#expiry(), signal: attempt.signal };
      const outcome = await this.#channel.compareAndSet(sessionKey(this.id), this.version, this.#value(), options);
      if (this.#why !== undefined) return;
      // Others may have found it over by then, and a session that was over must not come back.
      if (!this.alive)
        return this.lose(`a renewal of it was answered after its end, ${this.#ttl} ms after the one before`);
      if (outcome.ok) this.#renewed(outcome.version, sent);
      else this.#foundOut(outcome.current?.value as SessionValue | undefined, outcome.current?.version);
    } catch (error) {
      // No beat will reach the store any more. In a store that only this process can open, nothing else would ever end the session.
      if (isChannelError(error) && error.code === "CLOSED") return this.lose("its channel was closed");
      // Others take it for gone as soon as they read it.
      if (isForeign(error)) return this.gone();
      // Aborted by us, it tells nothing: the store did not answer.
      this.#trouble = attempt.signal.aborted ? undefined : error instanceof Error ? error.message : String(error);
      if (this.#why === undefined) this.#armBeat(Math.min(RETRY, this.#ttl / 10));
      return;
    } finally {
      cancel();
    }
    if (this.#why !== undefined) return;
    // Set before anything else that may hang.
    this.#armBeat(this.#untilNextBeat());
    await this.#follow();
  }

  /** Counted from when the last renewal was sent, as the deadline is, by whichever thread. */
  #untilNextBeat(): number {
    const since = this.#ttl - (this.#due() - this.#clock.monotonic());
    return Number.isFinite(since) ? Math.max(1, this.#ttl / 3 - since) : this.#ttl / 3;
  }

  /** What follows a beat takes its own time. The next beat does not wait for it. */
  async #follow(): Promise<void> {
    if (this.#following) return;
    this.#following = true;
    try {
      await this.#afterBeat();
    } finally {
      this.#following = false;
    }
  }

  #renewed(version: Version, sent: number): void {
    this.#deadline = sent + this.#life;
    this.#trouble = undefined;
    this.#thread?.pulse.renewed(this.#deadline, this.#clock.monotonic());
    this.#at(version);
  }

  /** The entry is at this version, written by us: no renewal that was sent before can be applied any more. */
  #at(version: Version): void {
    this.version = version;
    this.#unanswered.clear();
    this.#armDeadline();
  }

  /** The store holds the entry at this version: it is one of our renewals, whose answer may still be under way, or somebody replaced it. */
  changed(value: SessionValue | undefined, version: Version): void {
    if (this.#why !== undefined || compareVersions(version, this.version) <= 0) return;
    if (this.#isByThread(value)) this.#at(version);
    else if (value?.id !== this.id || !this.#unanswered.has(value.beat)) this.gone();
  }

  #isByThread(value: SessionValue | undefined): boolean {
    return this.#thread !== undefined && value?.id === this.id && value.by === "thread";
  }

  /** The entry is there no more. */
  gone(): void {
    // Of one that was over by then, whoever found it so removed it.
    this.lose(this.#clock.monotonic() >= this.#due() ? this.#notRenewed() : REMOVED);
  }

  /** The entry is not as we left it: it is a renewal of ours whose answer was lost, or the session is over. */
  #foundOut(value: SessionValue | undefined, version: Version | undefined): void {
    const sent = value?.id === this.id ? this.#unanswered.get(value.beat) : undefined;
    if (version !== undefined && this.#isByThread(value)) this.#at(version);
    else if (sent === undefined || version === undefined) this.gone();
    else this.#renewed(version, sent);
  }

  /** Ends the session here. What is left of it in the store is dead. */
  lose(why: string): void {
    this.#cancelBeat();
    this.#cancelDeadline();
    if (this.#why !== undefined) return;
    livingHere.delete(this.id);
    this.#closeThread();
    this.#why = `the session ${this.id} is over: ${why}`;
    for (const callback of this.#onOver) callback(this.#why);
    this.#onOver.clear();
  }

  /** Leaves: removes the entry, if it is still ours. */
  async close(): Promise<void> {
    const wasAlive = this.alive;
    const thread = this.#thread;
    this.lose("it was closed");
    // Whatever the thread is about to write asks for an entry that is there.
    if (wasAlive) await this.#channel.commit([{ delete: sessionKey(this.id) }, { delete: callKey(this.id) }]);
    await thread?.close();
  }

  /** Nobody waits for it: it keeps no process alive. */
  #closeThread(): void {
    this.#thread?.close().catch(() => {});
  }
}
