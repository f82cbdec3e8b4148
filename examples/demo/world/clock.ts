import type { Clock } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { TestClock } from "@ojm/core/testing";

/**
 * How much slower heartbeats are in the simulation. The schedulers alone would write 240,000 heartbeats in a
 * week. Timers of up to `BEAT` ms that do not keep the process alive are heartbeats and the like.
 */
export const SLOWER = 40;
const BEAT = 5_000;

/** The monotonic time of a {@link TestClock} at its start. */
const START = 1_000;

/**
 * The clock of a simulated week with slow heartbeats.
 *
 * SQLite keeps the time to live of an entry by the monotonic clock. The week therefore ends where that of the
 * machine is: with an earlier end, logs would be deleted too late, with a later one, too early.
 */
export class WeekClock extends TestClock {
  constructor(start: number, end: number, seed: number) {
    super({ start, seed });
    // In whole ms, like the wall clock, even if the machine has been up for longer than the week.
    const skipped = Math.max(0, Math.floor(systemClock.monotonic() - (end - start) - START));
    this.sleep(skipped);
    this.jump(-skipped);
  }

  override after(ms: number, callback: () => void, keepAlive = false): () => void {
    return super.after(keepAlive || ms > BEAT ? ms : ms * SLOWER, callback);
  }
}

/** The same clock, for a process that may die: its timers never fire then. */
export class MortalClock implements Clock {
  readonly #clock: WeekClock;
  #dead = false;

  constructor(clock: WeekClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(ms: number, callback: () => void, keepAlive = false): () => void {
    if (this.#dead) return () => {};
    return this.#clock.after(ms, () => this.#dead || callback(), keepAlive);
  }

  random(length: number): string {
    return this.#clock.random(length);
  }

  kill(): void {
    this.#dead = true;
  }
}
