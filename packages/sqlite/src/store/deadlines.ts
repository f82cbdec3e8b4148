import { bootId, type Clock } from "@ojm/core/backend";

/** A moment, on both clocks, in ms. */
export interface Instant {
  readonly mono: number;
  readonly wall: number;
}

/** When a row of the database is over: the columns of that name. All three are null where it never is. */
export interface Deadline {
  readonly deadline: number | null;
  readonly boot: string | null;
  readonly expires: number | null;
}

/** Never over. */
export const NEVER: Deadline = { deadline: null, boot: null, expires: null };

/**
 * Tells what is over. Within one boot of the host by the monotonic clock, which all its processes share and nobody can set: somebody
 * whose wall clock is two hours ahead takes nothing. A deadline of another boot is judged by wall time, as is any deadline
 * where the system does not name its boots.
 */
export class Deadlines {
  /** The present boot; null where the system does not name it, which equals no boot, in SQL and here. */
  readonly boot: string | null;
  readonly #clock: Clock;

  constructor(clock: Clock, boot: string = bootId()) {
    this.#clock = clock;
    this.boot = boot === "" ? null : boot;
  }

  now(): Instant {
    return { mono: this.#clock.monotonic(), wall: this.#clock.now() };
  }

  /** The deadline `ttl` ms after `at`. */
  after(ttl: number, at: Instant): Deadline & { boot: string; deadline: number; expires: number } {
    return { deadline: at.mono + ttl, boot: this.boot ?? "", expires: at.wall + ttl };
  }

  /** Milliseconds from `at` to a deadline, 0 or less when it is over; Infinity if there is none. */
  left(row: Deadline, at: Instant): number {
    if (row.deadline === null) return Number.POSITIVE_INFINITY;
    if (row.boot === this.boot) return row.deadline - at.mono;
    return (row.expires ?? 0) - at.wall;
  }
}

/** The condition in SQL that a row is not over, with the parameters of {@link liveParameters}. */
export const LIVE = "(deadline IS NULL OR CASE boot WHEN :boot THEN deadline > :mono ELSE expires > :wall END)";

/** Binds the parameters of {@link LIVE}. */
export function liveParameters(deadlines: Deadlines): { boot: string | null } & Instant {
  return { boot: deadlines.boot, ...deadlines.now() };
}
