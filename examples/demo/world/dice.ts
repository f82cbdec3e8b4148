/** Pseudo-random numbers that are the same for the same texts and numbers, in any order of the jobs. */
export class Dice {
  #state: number;

  constructor(...parts: readonly (string | number)[]) {
    this.#state = 0x811c9dc5;
    for (const letter of parts.join(" ")) this.#state = Math.imul(this.#state ^ letter.charCodeAt(0), 0x01000193);
  }

  /** From 0 up to 1. */
  chance(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.chance() * (most - least + 1));
  }

  pick<T>(all: readonly T[]): T {
    return all[this.between(0, all.length - 1)] as T;
  }

  /** True with a probability of `often` percent. */
  percent(often: number): boolean {
    return this.chance() * 100 < often;
  }
}
