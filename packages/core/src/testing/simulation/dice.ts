import { seeded } from "../fake-clock.js";

/** Random choices, the same for the same seed. */
export class Dice {
  /** A random number from 0 up to 1. */
  readonly chance: () => number;

  constructor(seed: number) {
    this.chance = seeded(seed);
  }

  between(low: number, high: number): number {
    return low + this.chance() * (high - low);
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.chance() * items.length)] as T;
  }
}
