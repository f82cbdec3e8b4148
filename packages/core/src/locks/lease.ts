import type { Version } from "../channel/types.js";
import type { Clock } from "../clock.js";
import { LateSignal } from "../late-signal.js";
import { LockError } from "./errors.js";
import type { Session } from "./session.js";

/**
 * A lock, held. Get one from {@link Locks.acquire}.
 *
 * At the moment at which `signal` fires, and not before, the lock may pass to somebody else. The moment is found by the local monotonic
 * clock; it needs no answer from the store.
 */
export class Lease {
  readonly name: string;
  /** The fencing token: the version of the lock's entry. Every later holder of this lock has a higher one. */
  readonly fence: Version;
  /** @internal What tells this acquisition from every other. */
  readonly token: string;
  /** @internal */
  readonly session: Session;
  readonly #stop: LateSignal = new LateSignal();
  readonly #release: (lease: Lease) => Promise<unknown>;
  readonly #onOver: (lease: Lease, error: LockError) => void;
  readonly #onSessionOver: (why: string) => void;
  readonly #cancelTimeout: () => void;
  #onEnd: (() => void) | undefined;
  #released = false;

  /** @internal */
  constructor(
    held: { readonly name: string; readonly fence: Version; readonly token: string; readonly timeout: number },
    session: Session,
    clock: Clock,
    release: (lease: Lease) => Promise<unknown>,
    onOver: (lease: Lease, error: LockError) => void,
  ) {
    this.name = held.name;
    this.fence = held.fence;
    this.token = held.token;
    this.session = session;
    this.#release = release;
    this.#onOver = onOver;
    this.#onSessionOver = (why) => this.abort("LOST", why);
    this.#cancelTimeout = clock.after(held.timeout, () =>
      this.abort("TIMEOUT", `its timeout of ${held.timeout} ms passed`),
    );
    session.onOver(this.#onSessionOver);
  }

  /** Fires with a {@link LockError} as its reason when the lock is held no more, unless it was released. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the lock is held now, by the local clock. */
  get held(): boolean {
    return !this.#released && this.#stop.reason === undefined && this.session.alive;
  }

  /**
   * Throws a {@link LockError} unless the lock is held now, by the local clock.
   *
   * A process that is paused right after this call may still act late: where that matters, hand {@link Lease.fence} to the system
   * that is written to.
   */
  assertHeld(): void {
    if (this.#stop.reason !== undefined) throw this.#stop.reason;
    if (this.#released) throw new LockError("RELEASED", this.name, `the lock "${this.name}" was released`);
    if (!this.session.alive) throw new LockError("LOST", this.name, `the lock "${this.name}" is lost`);
  }

  /** Gives the lock back, if it is still ours. Calling it again does nothing. */
  async release(): Promise<void> {
    await this.#release(this);
  }

  /** @internal Ends the lease here, whatever the store says. */
  abort(code: "LOST" | "TIMEOUT", why: string): void {
    if (this.#released || this.#stop.reason !== undefined) return;
    this.#cleanUp();
    const what = code === "TIMEOUT" ? "ran out of time" : "is lost";
    const error = new LockError(code, this.name, `the lock "${this.name}" ${what}: ${why}`);
    this.#stop.fire(error);
    this.#onOver(this, error);
  }

  /** @internal The lock was given back. The signal stays silent: nothing went wrong. */
  end(): void {
    this.#released = true;
    this.#cleanUp();
  }

  /** @internal Calls `callback`, the only one, once the lease is over or released: at once if it is. */
  onEnd(callback: () => void): void {
    if (this.#released || this.#stop.reason !== undefined) callback();
    else this.#onEnd = callback;
  }

  #cleanUp(): void {
    this.#onEnd?.();
    this.session.offOver(this.#onSessionOver);
    this.#cancelTimeout();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}
