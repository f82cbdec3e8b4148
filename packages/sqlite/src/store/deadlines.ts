import type { Clock } from "@ojm/core/backend";
import { bootId } from "@ojm/core/internal";

/** A moment by both clocks, in ms. */
export interface Instant {
  readonly mono: number;
  readonly wall: number;
}

/** When a row of the database expires: the columns of that name. All three are null if it never does. */
export interface Deadline {
  readonly deadline: number | null;
  readonly boot: string | null;
  readonly expires: number | null;
}

/** The deadline of a row that never expires. */
export const NEVER: Deadline = { deadline: null, boot: null, expires: null };

/**
 * Decides what has expired.
 *
 * Within one boot of the host it uses the monotonic clock, which all processes share and which cannot be set.
 * A process whose wall clock is two hours ahead steals nothing. For a deadline of another boot, or without
 * boot ids, it uses the wall clock.
 */
export class Deadlines {
  /** The id of this boot; null if the system has none. Null equals no boot, in SQL and here. */
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

  /** The time from `at` to a deadline, in ms; 0 or less if it has passed, Infinity if there is none. */
  left(row: Deadline, at: Instant): number {
    if (row.deadline === null) return Number.POSITIVE_INFINITY;
    if (row.boot === this.boot) return row.deadline - at.mono;
    return (row.expires ?? 0) - at.wall;
  }
}

/** The SQL condition that a row has not expired, with the parameters of {@link liveParameters}. */
export const LIVE = "(deadline IS NULL OR CASE boot WHEN :boot THEN deadline > :mono ELSE expires > :wall END)";

/** The parameters of {@link LIVE}. */
export function liveParameters(deadlines: Deadlines): { boot: string | null } & Instant {
  return { boot: deadlines.boot, ...deadlines.now() };
}
