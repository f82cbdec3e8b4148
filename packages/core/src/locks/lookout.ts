import type { Channel } from "../channel/channel.js";
import type { Following } from "../channel/followers.js";
import type { Version } from "../channel/types.js";
import { compareVersions } from "../channel/version.js";
import type { LockView } from "./attempt.js";
import { type LocksValue, lockKey, sessionKey } from "./entries.js";
import type { Liveness } from "./liveness.js";
import type { Wake } from "./wake.js";

/**
 * This many waiters, the first in the queue of a lock, watch all sessions before them. A thousand waiters must not
 * watch a thousand sessions each.
 */
const WATCH_ALL = 8;

/** A session that is watched. */
interface WatchedSession {
  readonly following: Following;
  /** Each renewal is seen. */
  heard: boolean;
}

/** What one who waits for a lock keeps an eye on, to be woken by it: the lock, and the sessions of those it waits for. */
export class Lookout {
  readonly #channel: Channel<LocksValue>;
  readonly #liveness: Liveness;
  readonly #wake: Wake;
  #lock: Following | undefined;
  /** The version of the last delete of the lock that was told. */
  #freed: Version = "0";
  readonly #sessions: Map<string, WatchedSession> = new Map();

  constructor(channel: Channel<LocksValue>, liveness: Liveness, wake: Wake) {
    this.#channel = channel;
    this.#liveness = liveness;
    this.#wake = wake;
  }

  /** Wakes by whatever happens to the lock, and once that is so. Whether it began now. */
  watchLock(name: string): boolean {
    if (this.#lock !== undefined || !this.#channel.supports.watch) return false;
    const wake = (): void => this.#wake.wake();
    const failed = (error: unknown): void => this.#wake.fail(error);
    this.#lock = this.#channel.follow(lockKey(name), {
      changed: ({ deleted, version }) => {
        if (deleted) this.#freed = version;
        wake();
      },
      gap: wake,
      failed,
    });
    // What happened before it was watched.
    this.#lock.ready.then(wake, failed);
    return true;
  }

  /** Whether each renewal of a session is seen, and its end heard of. */
  watches(id: string): boolean {
    return this.#sessions.get(id)?.heard === true;
  }

  /** Whether the lock was told to be deleted after this version of it. */
  freedAfter(version: Version): boolean {
    return compareVersions(this.#freed, version) > 0;
  }

  /**
   * Watches the sessions before a waiter at this place of the queue. The first few waiters watch all of them: sessions
   * that die together, as when their machine is cut off, must not be found dead one after the other. A store that runs
   * inside its callers tells when each session ends, so there the nearest is enough.
   */
  watchAhead({ lock, queue }: LockView, place: number): void {
    if (!this.#channel.supports.watch) return;
    const before = (queue?.value.waiting ?? []).slice(0, Math.max(0, place)).map(({ session }) => session);
    const ahead = lock === undefined ? before : [lock.value.holder.instance, ...before];
    const all = place < WATCH_ALL && this.#channel.supports.shared === "network";
    const wanted = new Set(all ? ahead : ahead.slice(-1));
    for (const [id, { following }] of this.#sessions) {
      if (wanted.has(id)) continue;
      following.stop();
      this.#sessions.delete(id);
    }
    for (const id of wanted) if (!this.#sessions.has(id)) this.#watchSession(id);
  }

  /**
   * Sees each renewal of a session, and wakes when it is gone. A store that tells its clock to nobody, as etcd, ends an entry when it was seen at one
   * version for the whole of its time: whoever looks at it only now and then would begin to count long after its process died.
   */
  #watchSession(id: string): void {
    const readAgain = async (): Promise<void> => {
      this.#liveness.forget(id);
      try {
        await this.#liveness.isDead(id);
      } catch {
        // It is tried again at the next look.
        this.#forget(id, session);
      }
      this.#wake.wake();
    };
    const following = this.#channel.follow(sessionKey(id), {
      changed: ({ deleted }) => {
        if (!deleted) return;
        this.#liveness.forget(id);
        this.#wake.wake();
      },
      gap: () => void readAgain(),
      failed: () => {
        session.heard = false;
      },
    });
    const session: WatchedSession = { following, heard: false };
    this.#sessions.set(id, session);
    following.ready.then(
      () => {
        if (this.#sessions.get(id) !== session) return undefined;
        session.heard = true;
        // What was read of it before may be of an earlier renewal than the one that is seen first.
        return readAgain();
      },
      () => this.#forget(id, session),
    );
  }

  #forget(id: string, session: WatchedSession): void {
    session.following.stop();
    if (this.#sessions.get(id) === session) this.#sessions.delete(id);
  }

  stop(): void {
    this.#lock?.stop();
    for (const { following } of this.#sessions.values()) following.stop();
    this.#sessions.clear();
  }
}
