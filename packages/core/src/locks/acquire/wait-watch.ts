import type { Channel } from "../../channel/channel.js";
import { compareVersions } from "../../channel/encoding/version.js";
import type { KeyWatch, Version } from "../../channel/types.js";
import type { Clock } from "../../util/clock.js";
import { type LocksValue, lockKey, sessionKey, turnNoticeKey } from "../entries/schema.js";
import { isTurnNotice, ticketsOf } from "../entries/valid.js";
import type { LockView } from "../entries/view.js";
import type { Liveness } from "../session/liveness.js";

/** Wakes a waiter. It is an auto-reset event: a wake before `next()` is remembered. */
export class Waker {
  readonly #clock: Clock;
  #woken = false;
  #error: { readonly error: unknown } | undefined;
  #resolve: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  /** Makes `next()` throw: from now on nothing can wake the waiter. */
  fail(error: unknown): void {
    this.#error = { error };
    this.wake();
  }

  /** Resolves to true when woken, to false after `ms`. Throws the error passed to `fail`. */
  async next(ms: number): Promise<boolean> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(ms, resolve);
        this.#resolve = () => {
          cancel();
          resolve();
        };
      });
      this.#resolve = undefined;
    }
    const woken = this.#woken;
    this.#woken = false;
    if (this.#error !== undefined) throw this.#error.error;
    return woken;
  }
}

interface Waiting {
  readonly wake: Waker;
  /** The ticket of this waiter is now first. `view`: the lock and queue, if this process took the lock. */
  called(view?: LockView): void;
}

/** Receives turn notices, and wakes the waiter concerned, by one entry and watch for each session. */
export class TurnNotices {
  readonly #channel: Channel<LocksValue>;
  /** By token. */
  readonly #waiting: Map<string, Waiting> = new Map();
  /** The waiters that rely on another waiter of this process, by the token of that other waiter. */
  readonly #behind: Map<string, Waker> = new Map();
  readonly #watches: Map<string, KeyWatch> = new Map();

  constructor(channel: Channel<LocksValue>) {
    this.#channel = channel;
  }

  /** Calls `called` when the ticket `token` is first, and `wake` when a notice may be lost, until stopped. */
  expect(token: string, wake: Waker, called: (view?: LockView) => void): () => void {
    this.#waiting.set(token, { wake, called });
    return () => void this.#waiting.delete(token);
  }

  /**
   * Call it when a waiter of this process has taken the lock. If the next waiter is of this process too,
   * passes the view to it: that waiter then needs neither the notice from the store nor a read of the queue.
   * Returns whether the next waiter is of this process.
   */
  handOn(view: LockView | undefined): boolean {
    const [next] = ticketsOf(view?.queue?.value);
    const waiting = next && this.#waiting.get(next.token);
    waiting?.called(view);
    return waiting !== undefined;
  }

  /** Makes {@link TurnNotices.wakeBehind} with the token `ahead` wake `wake`. Call the result to stop. */
  follow(ahead: string, wake: Waker): () => void {
    this.#behind.set(ahead, wake);
    return () => {
      if (this.#behind.get(ahead) === wake) this.#behind.delete(ahead);
    };
  }

  /** Makes the waiter that relies on this ticket check again. */
  wakeBehind(token: string): void {
    this.#behind.get(token)?.wake();
  }

  /** Whether the waiter with this ticket is still waiting in this process. */
  isExpected(token: string): boolean {
    return this.#waiting.has(token);
  }

  /** Resolves once every later notice to a session arrives. Await it before its ticket enters a queue. */
  async hear(session: string): Promise<void> {
    if (!this.#channel.supports.watch) return;
    const watch = this.#watches.get(session) ?? this.#watchSession(session);
    try {
      await watch.ready;
    } catch (error) {
      if (this.#watches.get(session) === watch) this.#watches.delete(session);
      throw error;
    }
  }

  #watchSession(session: string): KeyWatch {
    const watch = this.#channel.watchKey(turnNoticeKey(session), {
      changed: (change) => {
        const call: unknown = change.value();
        if (!isTurnNotice(call)) return;
        const waiting = this.#waiting.get(call.token);
        if (call.near === true) waiting?.wake.wake();
        else waiting?.called();
      },
      gap: () => this.#all((wake) => wake.wake()),
      failed: (error) => {
        this.#watches.delete(session);
        this.#all((wake) => wake.fail(error));
      },
    });
    this.#watches.set(session, watch);
    return watch;
  }

  #all(tell: (wake: Waker) => void): void {
    for (const { wake } of [...this.#waiting.values()]) tell(wake);
  }

  /** Stops watching without waiters, after a heartbeat: a program that waits often needs one watch. */
  rest(): void {
    if (this.#waiting.size === 0) this.close();
  }

  close(): void {
    for (const { stop } of this.#watches.values()) stop();
    this.#watches.clear();
  }
}

/** This many waiters at the front watch all sessions ahead, others one: a thousand must not watch all. */
const WATCH_ALL = 8;

interface WatchedSession {
  readonly watch: KeyWatch;
  /** Whether the watch reports each renewal. */
  reporting: boolean;
}

/** What can wake a waiter: changes of the lock, and the end of the sessions ahead of it. */
export class WaitWatch {
  readonly #channel: Channel<LocksValue>;
  readonly #liveness: Liveness;
  readonly #wake: Waker;
  #lock: KeyWatch | undefined;
  /** The version of the latest delete of the lock that the watch reported. */
  #freed: Version = "0";
  /** The version of the lock that the waiter knows. */
  #known: Version = "0";
  readonly #sessions: Map<string, WatchedSession> = new Map();

  constructor(channel: Channel<LocksValue>, liveness: Liveness, wake: Waker) {
    this.#channel = channel;
    this.#liveness = liveness;
    this.#wake = wake;
  }

  /** Watches the lock: wakes the waiter when ready and on each change. Returns whether the watch is new. */
  watchLock(name: string): boolean {
    if (this.#lock !== undefined || !this.#channel.supports.watch) return false;
    const wake = (): void => this.#wake.wake();
    const failed = (error: unknown): void => this.#wake.fail(error);
    this.#lock = this.#channel.watchKey(lockKey(name), {
      changed: ({ deleted, version }) => {
        // A late report must not make the waiter read the whole queue.
        if (compareVersions(version, this.#known) <= 0) return;
        if (deleted) this.#freed = version;
        wake();
      },
      gap: wake,
      failed,
    });
    // Wake once the watch is ready: an earlier change was not reported.
    this.#lock.ready.then(wake, failed);
    return true;
  }

  /** Whether the watch reports each renewal of a session and its end. */
  watches(id: string): boolean {
    return this.#sessions.get(id)?.reporting === true;
  }

  /** Call it when the waiter knows this version of the lock: changes up to it do not wake it. */
  knows(version: Version): void {
    this.#known = version;
  }

  /** Whether the watch reported a delete of the lock after this version. */
  freedAfter(version: Version): boolean {
    return compareVersions(this.#freed, version) > 0;
  }

  /**
   * Watches the sessions ahead of a waiter at this place of the queue.
   *
   * The first few waiters watch all of them. Sessions can die together, for example when their host loses its
   * network: the waiter must not find them dead one after the other. A store that is not on the network
   * reports the end of every session, so there the nearest session is enough.
   */
  watchAhead({ lock, queue }: LockView, place: number): void {
    if (!this.#channel.supports.watch) return;
    const before = ticketsOf(queue?.value).slice(0, Math.max(0, place));
    const holder = lock?.value.holder.instance;
    const nearest = before.at(-1)?.session ?? holder;
    const wanted = new Set(nearest === undefined ? [] : [nearest]);
    if (place < WATCH_ALL && this.#channel.supports.shared === "network") {
      for (const { session } of before) wanted.add(session);
      if (holder !== undefined) wanted.add(holder);
    }
    for (const [id, { watch }] of this.#sessions) {
      if (wanted.has(id)) continue;
      watch.stop();
      this.#sessions.delete(id);
    }
    for (const id of wanted) if (!this.#sessions.has(id)) this.#watchSession(id);
  }

  /**
   * Watches the renewals of a session, and wakes the waiter when the session is gone.
   *
   * etcd does not expose its clock, so a time to live counts from when its version was first seen. Without a
   * watch, a waiter that reads rarely would begin to count long after the process died.
   */
  #watchSession(id: string): void {
    const readAgain = async (): Promise<void> => {
      this.#liveness.forget(id);
      try {
        await this.#liveness.isDead(id);
      } catch {
        // The next check watches it again.
        this.#forget(id, session);
      }
      this.#wake.wake();
    };
    const watch = this.#channel.watchKey(sessionKey(id), {
      changed: ({ deleted }) => {
        if (!deleted) return;
        this.#liveness.forget(id);
        this.#wake.wake();
      },
      gap: () => void readAgain(),
      failed: () => {
        session.reporting = false;
      },
    });
    const session: WatchedSession = { watch, reporting: false };
    this.#sessions.set(id, session);
    watch.ready.then(
      () => {
        if (this.#sessions.get(id) !== session) return undefined;
        session.reporting = true;
        // Read the session again: the read may be older than the first renewal that the watch reports.
        return readAgain();
      },
      () => this.#forget(id, session),
    );
  }

  #forget(id: string, session: WatchedSession): void {
    session.watch.stop();
    if (this.#sessions.get(id) === session) this.#sessions.delete(id);
  }

  stop(): void {
    this.#lock?.stop();
    for (const { watch } of this.#sessions.values()) watch.stop();
    this.#sessions.clear();
  }
}
