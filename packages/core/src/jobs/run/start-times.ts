import type { Clock } from "../../util/clock.js";

/** The most names remembered. A forgotten name costs a read if its start time is taken. */
const REMEMBERED = 10_000;

/** Gives out start times. Two runs of a name never have the same one. */
export class StartTimes {
  readonly #last: Map<string, number> = new Map();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(name: string): number {
    return Math.max(this.#clock.now(), (this.#last.get(name) ?? 0) + 1);
  }

  taken(name: string, startTime: number): void {
    if (this.#last.size >= REMEMBERED) this.#last.clear();
    this.#last.set(name, startTime);
  }
}
