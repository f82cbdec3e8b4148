import { isFull } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import { isCorrupt } from "../../channel/corrupt.js";
import { knownKey } from "../../channel/encoding/prepared.js";
import { compareVersions } from "../../channel/encoding/version.js";
import { isChannelError } from "../../channel/errors.js";
import type { Key, Version } from "../../channel/types.js";
import { type Clock, systemClock } from "../../util/clock.js";
import { durationText } from "../../util/duration.js";
import { processIdentity } from "../../util/process-state.js";
import { visible } from "../../util/text.js";
import { emitWarning } from "../../util/warning.js";
import {
  type Holder,
  holderText,
  type LocksValue,
  lifeInStore,
  type SessionValue,
  sessionKey,
  stopKey,
  turnNoticeKey,
} from "../entries/schema.js";
import { sessionEnded, sessionRenewal } from "../events.js";
import { VERSIONS } from "../versions.js";
import { type HeartbeatLocators, HeartbeatThread } from "./heartbeat-thread.js";
import { livingHere } from "./liveness.js";

/** The pause before a failed renewal is repeated, in ms. */
const RETRY = 200;

/** Why a session is over if the store no longer has its entry. */
const REMOVED = "its entry was removed from the store";

/** A timer that is this late, in ms, shows that the process was busy or suspended. */
const LATE = 50;

/**
 * Called right after a renewal was sent: calls that are sent in the same turn of the event loop may be
 * answered together. The returned function is called once the renewal was answered.
 */
type OnBeat = () => () => Promise<void>;

/**
 * The presence of a process in a store: one entry with a time to live. One heartbeat renews it for all the
 * locks that the process holds.
 *
 * The session's deadline counts, by the local monotonic clock, from the moment at which the last successful
 * renewal was *sent*. The store begins to count later, and counts a little longer. So the owner knows first
 * that the session is over, without an answer from the store.
 *
 * @see Gray and Cheriton, "Leases: An Efficient Fault-Tolerant Mechanism for Distributed File Cache
 * Consistency", 1989
 */
export class Session {
  readonly id: string;
  readonly holder: Holder;
  /** The text of `holder`, as `encodeValue` makes it. */
  readonly holderText: string;
  readonly key: Key;
  /** The version of the entry. Every acquisition checks it, so that a session that is gone takes no lock. */
  version: Version;
  readonly #channel: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #ttl: number;
  /** How long the session lives without a renewal, in ms. */
  readonly #life: number;
  readonly #onOver: Set<(why: string) => void> = new Set();
  #why: string | undefined;
  /** Whether it is over because the store answered no renewal. */
  isUnanswered = false;
  readonly #since: number;
  readonly #onBeat: OnBeat;
  /** By beat: the time at which each unanswered renewal was sent. */
  readonly #unanswered: Map<number, number> = new Map();
  /** The thread that renews the session while the main thread is busy. */
  #thread: HeartbeatThread | undefined;
  #afterBeatRuns = false;
  /** The error of the last renewal, if it failed. */
  #trouble: string | undefined;
  /** Whether a warning said that the store is full. */
  #warnedOfFull = false;
  #beat = 0;
  #deadline: number;
  #cancelDeadline: () => void = () => {};
  #cancelBeat: () => void = () => {};

  private constructor(channel: Channel<LocksValue>, clock: Clock, ttl: number, onBeat: OnBeat) {
    const identity = processIdentity();
    this.id = `${identity.pid}-${clock.random(10)}`;
    this.key = knownKey(sessionKey(this.id));
    this.holder = { host: identity.host, pid: identity.pid, instance: this.id };
    this.holderText = holderText(this.holder);
    this.version = "";
    this.#channel = channel;
    this.#clock = clock;
    this.#ttl = ttl;
    this.#since = clock.now();
    this.#onBeat = onBeat;
    // No other process can open such a store while this one lives, so a missed renewal has no meaning. A
    // blocked event loop must not cost the locks. The entries of an earlier process are known to be dead.
    // With an injected clock this does not hold, because a simulation runs several processes in one.
    const alone = channel.supports.shared === "process" && clock === systemClock;
    this.#life = alone ? Number.POSITIVE_INFINITY : ttl;
    this.#deadline = clock.monotonic() + this.#life;
  }

  static async open(channel: Channel<LocksValue>, clock: Clock, ttl: number, onBeat: OnBeat): Promise<Session> {
    const session = new Session(channel, clock, ttl, onBeat);
    livingHere.add(session.id);
    try {
      // On an unreliable network the store may get this commit twice. The second one must change nothing: its
      // version would look like that of a foreign entry.
      const opened = await channel.compareAndSet(sessionKey(session.id), null, session.#value(), session.#expiry());
      // The id is random: an existing entry is this one, from a repeated commit.
      session.version = opened.ok ? opened.version : (opened.current?.version ?? "");
    } catch (error) {
      livingHere.delete(session.id);
      throw error;
    }
    session.#armDeadline();
    session.#armBeat(ttl / 3);
    return session;
  }

  /** Why the session is over; `undefined` while it lives. */
  get over(): string | undefined {
    return this.#why;
  }

  /** Calls `callback` when the session is over: it was not renewed in time, was removed, or was closed. */
  onOver(callback: (why: string) => void): void {
    if (this.#why !== undefined) callback(this.#why);
    else this.#onOver.add(callback);
  }

  offOver(callback: (why: string) => void): void {
    this.#onOver.delete(callback);
  }

  /** Whether the session lives, by the local clock alone. Costs no call to the store. */
  get alive(): boolean {
    if (this.#why !== undefined || this.#thread?.deadlines.lost === true) return false;
    const now = this.#clock.monotonic();
    return now < this.#deadline || now < this.#due();
  }

  /** The deadline by the renewals of both threads. */
  #due(): number {
    return Math.max(this.#deadline, this.#thread?.deadlines.deadline ?? 0);
  }

  /** Starts a thread that renews the session for a busy main thread. `earliest`: the first timeout's end. */
  keepByThread(locators: HeartbeatLocators, earliest: () => number): void {
    if (!this.alive) return;
    this.#thread = new HeartbeatThread({ locators, session: this.id, ttl: this.#ttl }, this.#deadline, earliest);
  }

  holds(until: number): void {
    this.#thread?.taken(until);
  }

  #expiry(): { readonly ttl?: number } {
    return Number.isFinite(this.#life) ? { ttl: lifeInStore(this.#ttl) } : {};
  }

  #value(): SessionValue {
    return { id: this.id, process: processIdentity(), since: this.#since, beat: this.#beat, ojm: VERSIONS.ojm };
  }

  #armDeadline(): void {
    this.#cancelDeadline();
    if (!Number.isFinite(this.#life)) return;
    // Expire now: a due timer fires one turn of the event loop later, after other callbacks.
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

  /** Ends the session if its deadline passed. A busy program may not have let the timer fire. */
  expire(): void {
    if (this.#why !== undefined || this.alive) return;
    if (this.#thread?.deadlines.lost === true) this.lose(REMOVED);
    else this.lose(this.#notRenewed());
  }

  #notRenewed(): string {
    const late = this.#clock.monotonic() - this.#due();
    const ttl = durationText(this.#ttl);
    if (late >= LATE) {
      return `this process was suspended or busy, and did not renew it for ${durationText(late)} more than ${ttl}`;
    }
    this.isUnanswered = true;
    const trouble = this.#trouble === undefined ? "" : `. The last one failed: ${this.#trouble}`;
    return `the store answered no renewal for ${ttl}${trouble}`;
  }

  #armBeat(ms: number): void {
    this.#cancelBeat = this.#clock.after(ms, () => void this.#renew());
  }

  /** Renews the entry. Never throws: a failed renewal is repeated until the deadline. */
  async #renew(): Promise<void> {
    if (!this.alive) return this.expire();
    const sent = this.#clock.monotonic();
    this.#unanswered.set(++this.#beat, sent);
    // Limit each attempt: if the store hangs, a new connection may still answer.
    const attempt = new AbortController();
    let afterBeat: () => Promise<void>;
    const cancel = this.#clock.after(this.#ttl / 3, () => attempt.abort());
    try {
      const options = { ...this.#expiry(), signal: attempt.signal };
      const renewal = this.#channel.compareAndSet(sessionKey(this.id), this.version, this.#value(), options);
      afterBeat = this.#onBeat();
      const outcome = await renewal;
      this.#publishRenewal(sent, outcome.ok);
      if (this.#why !== undefined) return;
      // The session may have been found dead by now. It must not come back.
      if (!this.alive)
        return this.lose(
          `the store answered a renewal after the session had ended: its ttl is ${durationText(this.#ttl)}`,
        );
      if (outcome.ok) this.#renewed(outcome.version, sent);
      else this.#foundOut(outcome.current?.value as SessionValue | undefined, outcome.current?.version);
    } catch (error) {
      // No later renewal can reach the store. If no other process opens it, nothing else ends the session.
      if (isChannelError(error) && error.code === "CLOSED") return this.lose("its channel was closed");
      // Other processes may have a new store by now, with the same lock.
      if (isChannelError(error) && error.code === "GONE") return this.lose(error.message);
      // Other processes consider the session gone as soon as they read the entry.
      if (isCorrupt(error)) return this.gone();
      this.#publishRenewal(sent, false);
      // Our own abort is not the cause: the store did not answer.
      this.#trouble = attempt.signal.aborted ? undefined : error instanceof Error ? error.message : String(error);
      if (isFull(error)) this.#warnOfFull(error.message);
      if (this.#why === undefined) this.#armBeat(Math.min(RETRY, this.#ttl / 10));
      return;
    } finally {
      cancel();
    }
    if (this.#why !== undefined) return;
    // Set the timer before anything else that may hang.
    this.#armBeat(this.#untilNextBeat());
    await this.#runAfterBeat(afterBeat);
  }

  /** Publishes a renewal. A late answer must not follow the end of the session. */
  #publishRenewal(sent: number, ok: boolean): void {
    if (this.#why !== undefined) return;
    sessionRenewal.publish(() => ({ session: this.id, duration: this.#clock.monotonic() - sent, ok }));
  }

  /** Warns at once: an operator may free space before the session ends. */
  #warnOfFull(why: string): void {
    if (this.#warnedOfFull || !Number.isFinite(this.#life) || this.#why !== undefined) return;
    this.#warnedOfFull = true;
    const left = Math.max(0, Math.round(this.#due() - this.#clock.monotonic()));
    const text = `this process cannot renew its locks, and loses them in ${durationText(left)}: ${visible(why)}`;
    emitWarning("OJM_FULL", text);
  }

  /** The time until the next renewal, in ms, counted from when either thread sent the last one. */
  #untilNextBeat(): number {
    const since = this.#ttl - (this.#due() - this.#clock.monotonic());
    return Number.isFinite(since) ? Math.max(1, this.#ttl / 3 - since) : this.#ttl / 3;
  }

  /** Runs `afterBeat` in the background. The next beat does not wait for it. */
  async #runAfterBeat(afterBeat: () => Promise<void>): Promise<void> {
    if (this.#afterBeatRuns) return;
    this.#afterBeatRuns = true;
    try {
      await afterBeat();
    } finally {
      this.#afterBeatRuns = false;
    }
  }

  #renewed(version: Version, sent: number): void {
    this.#deadline = sent + this.#life;
    this.#trouble = undefined;
    this.#warnedOfFull = false;
    this.#thread?.deadlines.renewed(this.#deadline, this.#clock.monotonic());
    this.#at(version);
  }

  /** Call it when the entry at this version is our own: no earlier renewal can be applied any more. */
  #at(version: Version): void {
    this.version = version;
    this.#unanswered.clear();
    this.#armDeadline();
  }

  /** The store has the entry at this version: one of our renewals, or the work of another program. */
  changed(value: SessionValue | undefined, version: Version): void {
    if (this.#why !== undefined || compareVersions(version, this.version) <= 0) return;
    if (this.#isByThread(value)) this.#at(version);
    else if (value?.id !== this.id || !this.#unanswered.has(value.beat)) this.gone();
  }

  #isByThread(value: SessionValue | undefined): boolean {
    return this.#thread !== undefined && value?.id === this.id && value.by === "thread";
  }

  /** Call it when the store no longer has the entry. */
  gone(): void {
    // After the deadline, another process removed the entry of the ended session: report that cause.
    this.lose(this.#clock.monotonic() >= this.#due() ? this.#notRenewed() : REMOVED);
  }

  /** The store has another version: the answer to our renewal was lost, or the session is over. */
  #foundOut(value: SessionValue | undefined, version: Version | undefined): void {
    const sent = value?.id === this.id ? this.#unanswered.get(value.beat) : undefined;
    if (version !== undefined && this.#isByThread(value)) this.#at(version);
    else if (sent === undefined || version === undefined) this.gone();
    else this.#renewed(version, sent);
  }

  /** Ends the session in this process. Does not touch the store: the leftovers there are dead. */
  lose(why: string): void {
    this.#cancelBeat();
    this.#cancelDeadline();
    if (this.#why !== undefined) return;
    livingHere.delete(this.id);
    this.#closeThread();
    const reason = `the session ${this.id} is over: ${why}`;
    this.#why = reason;
    for (const callback of this.#onOver) callback(reason);
    this.#onOver.clear();
    sessionEnded.publish(() => ({ session: this.id, reason }));
  }

  /** Ends the session and removes its entry from the store. */
  async close(): Promise<void> {
    const wasAlive = this.alive;
    const thread = this.#thread;
    this.lose("it was closed");
    // The thread cannot restore the entry: its renewal checks that the entry is there.
    if (wasAlive)
      await this.#channel.commit([sessionKey, turnNoticeKey, stopKey].map((key) => ({ delete: key(this.id) })));
    await thread?.close();
  }

  /** Do not await it: the thread keeps no process alive. */
  #closeThread(): void {
    this.#thread?.close().catch(() => {});
  }
}
