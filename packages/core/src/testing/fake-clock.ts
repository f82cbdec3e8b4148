import type { Clock } from "../util/clock.js";

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** Resolves once the work that has begun is at rest: all promises that wait for no timer are settled then. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Random numbers from 0 up to 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * A clock that stands still until a test moves it. It fires due timers in order, one by one, and lets all
 * work come to rest before the next one.
 */
export class FakeClock implements Clock {
  /** How far the wall clock is ahead; a test may set it. */
  wall: number;
  /** Called after each timer that fired, when all work is at rest. A test can check its invariants here. */
  afterStep: () => void = () => {};
  readonly #chance: () => number;
  readonly #timers: Set<Timer> = new Set();
  #monotonic = 1_000;
  #order = 0;

  constructor(seed = 1) {
    this.#chance = seeded(seed);
    this.wall = Date.UTC(2030, 0, 1);
  }

  now(): number {
    return this.wall + Math.floor(this.#monotonic);
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.#monotonic + Math.max(0, ms), order: ++this.#order, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  random(length: number): string {
    let text = "";
    for (let i = 0; i < length; i++) text += ALPHABET[Math.floor(this.#chance() * 36)];
    return text;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settled();
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) await this.#fire(timer);
    this.#monotonic = end;
    await settled();
  }

  /** Lets as much time pass as `work` needs. Throws if that is more than `most` ms. */
  async until<T>(work: Promise<T>, most = 3_600_000): Promise<T> {
    const end = this.#monotonic + most;
    let done = false;
    const note = (): void => {
      done = true;
    };
    work.then(note, note);
    await settled();
    while (!done) {
      const timer = this.#next(end);
      if (timer === undefined) throw new Error(`nothing more happens within ${most} ms, and it is not done`);
      await this.#fire(timer);
    }
    return work;
  }

  /**
   * Lets time pass without firing timers, as a blocked process does: timers that come due meanwhile are late.
   */
  block(ms: number): void {
    this.#monotonic += ms;
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    this.#monotonic = Math.max(this.#monotonic, timer.due);
    timer.callback();
    await settled();
    this.afterStep();
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due > end) continue;
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }
}
