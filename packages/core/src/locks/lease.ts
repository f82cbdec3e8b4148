import type { Version } from "../channel/types.js";
import type { Clock } from "../clock.js";
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
  /** Fires with a {@link LockError} as its reason when the lock is held no more, unless it was released. */
  readonly signal: AbortSignal;
  /** @internal What tells this acquisition from every other. */
  readonly token: string;
  /** @internal */
  readonly session: Session;
  readonly #ended: AbortController = new AbortController();
  readonly #release: (lease: Lease) => Promise<void>;
  readonly #cleanUp: () => void;
  #over = false;

  /** @internal */
  constructor(
    held: { readonly name: string; readonly fence: Version; readonly token: string; readonly timeout: number },
    session: Session,
    clock: Clock,
    release: (lease: Lease) => Promise<void>,
  ) {
    this.name = held.name;
    this.fence = held.fence;
    this.token = held.token;
    this.signal = this.#ended.signal;
    this.session = session;
    this.#release = release;
    const onSessionOver = (): void => this.abort("LOST", (session.signal.reason as Error).message);
    session.signal.addEventListener("abort", onSessionOver, { once: true });
    const cancelTimeout = clock.after(held.timeout, () =>
      this.abort("TIMEOUT", `its timeout of ${held.timeout} ms passed`),
    );
    this.#cleanUp = () => {
      session.signal.removeEventListener("abort", onSessionOver);
      cancelTimeout();
    };
    if (session.signal.aborted) onSessionOver();
  }

  /** Whether the lock is held now, by the local clock. */
  get held(): boolean {
    return !this.#over && !this.signal.aborted && this.session.alive;
  }

  /**
   * Throws a {@link LockError} unless the lock is held now, by the local clock.
   *
   * A process that is paused right after this call may still act late: where that matters, hand {@link Lease.fence} to the system
   * that is written to.
   */
  assertHeld(): void {
    if (this.signal.aborted) throw this.signal.reason;
    if (this.#over) throw new LockError("RELEASED", this.name, `the lock "${this.name}" was released`);
    if (!this.session.alive) throw new LockError("LOST", this.name, `the lock "${this.name}" is lost`);
  }

  /** Gives the lock back, if it is still ours. Calling it again does nothing. */
  release(): Promise<void> {
    return this.#release(this);
  }

  /** @internal Ends the lease here, whatever the store says. */
  abort(code: "LOST" | "TIMEOUT", why: string): void {
    if (this.#over || this.signal.aborted) return;
    this.#cleanUp();
    const what = code === "TIMEOUT" ? "ran out of time" : "is lost";
    this.#ended.abort(new LockError(code, this.name, `the lock "${this.name}" ${what}: ${why}`));
  }

  /** @internal The lock was given back. The signal stays silent: nothing went wrong. */
  end(): void {
    this.#over = true;
    this.#cleanUp();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}
