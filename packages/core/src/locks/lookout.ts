import type { Channel } from "../channel/channel.js";
import type { Following } from "../channel/followers.js";
import type { Version } from "../channel/types.js";
import { compareVersions } from "../channel/version.js";
import { type LocksValue, lockKey, sessionKey } from "./entries.js";
import type { Liveness } from "./liveness.js";
import type { Wake } from "./wake.js";

/** What one who waits for a lock keeps an eye on, to be woken by it: the lock, and the session of whom it waits for. */
export class Lookout {
  readonly #channel: Channel<LocksValue>;
  readonly #liveness: Liveness;
  readonly #wake: Wake;
  #lock: Following | undefined;
  /** The version of the last delete of the lock that was told. */
  #freed: Version = "0";
  #session: { readonly id: string; readonly following: Following; heard: boolean } | undefined;

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
    return this.#session?.id === id && this.#session.heard;
  }

  /** Whether the lock was told to be deleted after this version of it. */
  freedAfter(version: Version): boolean {
    return compareVersions(this.#freed, version) > 0;
  }

  /**
   * Sees each renewal of a session, and wakes when it is gone. A store that tells its clock to nobody, as etcd, ends an entry when it was seen at one
   * version for the whole of its time: whoever looks at it only now and then would begin to count long after its process died.
   */
  watchSession(id: string): void {
    if (this.#session?.id === id || !this.#channel.supports.watch) return;
    this.#session?.following.stop();
    const readAgain = (): void => {
      this.#liveness.forget(id);
      this.#wake.wake();
    };
    const following = this.#channel.follow(sessionKey(id), {
      changed: ({ deleted }) => void (deleted && readAgain()),
      gap: readAgain,
      failed: () => {
        session.heard = false;
      },
    });
    const session = { id, following, heard: false };
    this.#session = session;
    following.ready.then(
      () => {
        session.heard = true;
        // What was read of it before may be of an earlier renewal than the one that is seen first.
        readAgain();
      },
      () => {
        // It is tried again at the next look.
        if (this.#session === session) this.#session = undefined;
      },
    );
  }

  stop(): void {
    this.#lock?.stop();
    this.#session?.following.stop();
  }
}
