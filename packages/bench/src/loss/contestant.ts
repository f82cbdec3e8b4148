/** How long a lock lasts without renewal, in ms: the same for all contestants. */
export const TTL = 3_000;

/** The name that all of them lock. */
export const NAME = "job";

/**
 * Runs under the lock until the signal fires. `leaseEnd`, if it is known, returns the current end of
 * the lease, by the clock of {@link now}.
 */
export type Body = (signal: AbortSignal, leaseEnd?: () => number) => Promise<void>;

/** The clock that all processes of the host share, in ms. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A way to hold a lock by name over Redis, with renewal, as its documentation recommends it. */
export interface Contestant {
  /** The key of the lock, if that can be deleted or overwritten by hand. */
  readonly key: string | undefined;
  /** Whether another thread renews the lock while the event loop is blocked. */
  readonly keptByThread?: boolean;
  /** Waits for the lock without a limit, and runs the body under it. */
  hold(url: string, body: Body): Promise<void>;
}
