import type { Clock } from "../util/clock.js";
import { checkedDuration, type Duration, durationText } from "../util/duration.js";

interface Timer {
  due: number;
  /** Whether it begins a delayed round of background work: see {@link Clock.rest}. */
  readonly isRound: boolean;
  readonly order: number;
  readonly callback: () => void;
}

/** Options of a {@link TestClock}. */
export interface TestClockOptions {
  /** The initial time of the wall clock. Default: 2030-01-01T00:00:00Z. */
  readonly start?: string | number | Date;
  /** The seed of the clock's random texts, such as the ids of processes. Default: 1. */
  readonly seed?: number;
}

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
const START = "2030-01-01T00:00:00Z";

/** The initial time of the monotonic clock, in ms: above 0, which could be mistaken for "never". */
const MONOTONIC = 1_000;

/** The longest rest between rounds of background work on a machine's clock, in ms. */
const LONGEST_ROUND = 30_000;

/** The longest time that {@link TestClock.until} lets pass, in ms. */
const UNTIL_LIMIT = 3_600_000;

/** How long it waits for work without a timer, such as a module that is loaded on demand, in real ms. */
const OUTSIDE_LIMIT = 20_000;

/** Resolves once the current work is at rest: all promises that do not wait for a timer are settled then. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A number is taken unchecked: a test may compute it. */
function msOf(by: Duration): number {
  const refuse = (message: string): never => {
    throw new RangeError(message);
  };
  return typeof by === "number" ? by : checkedDuration("the time that passes", by, refuse);
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
 *
 * @example
 * const clock = new TestClock({ start: "2026-03-29T00:59:00Z" });
 * await using scheduler = openScheduler(manager, { clock });
 * await clock.advance("1m");
 */
export class TestClock implements Clock {
  /** @internal */
  rest = 0;
  /** How far the wall clock is ahead of the monotonic one, in ms. */
  protected ahead: number;
  readonly #chance: () => number;
  readonly #timers: Set<Timer> = new Set();
  #monotonic = MONOTONIC;
  #order = 0;
  #rest: () => Promise<void> = settled;

  constructor({ start = START, seed = 1 }: TestClockOptions = {}) {
    this.#chance = seeded(seed);
    this.ahead = new Date(start).getTime() - MONOTONIC;
    if (Number.isNaN(this.ahead)) throw new RangeError(`the start of a test clock is not a time: ${String(start)}`);
  }

  now(): number {
    return this.ahead + Math.floor(this.#monotonic);
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, callback: () => void): () => void {
    const isRound = this.rest > 0 && ms === this.rest;
    const timer = { due: this.#monotonic + Math.max(0, ms), isRound, order: ++this.#order, callback };
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

  /** Lets this time pass. */
  async advance(by: Duration): Promise<void> {
    const end = this.#monotonic + msOf(by);
    await this.#rest();
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) await this.#fire(timer);
    this.#monotonic = Math.max(this.#monotonic, end);
    await this.#rest();
  }

  /** Lets time pass until the wall clock reaches `time`. */
  advanceTo(time: string | number | Date): Promise<void> {
    return this.advance(new Date(time).getTime() - this.now());
  }

  /** Lets as much time pass as `work` needs. Throws if that is more than `most`. */
  async until<T>(work: Promise<T>, most: Duration = UNTIL_LIMIT): Promise<T> {
    const end = this.#monotonic + msOf(most);
    let done = false;
    const note = (): void => {
      done = true;
    };
    work.then(note, note);
    await settled();
    while (!done) {
      const timer = this.#next(end) ?? (await this.#outside(() => done || this.#next(end)));
      if (timer === undefined)
        throw new Error(`nothing more happens within ${durationText(msOf(most))}, and it is not done`);
      if (timer !== true) await this.#fire(timer);
    }
    return work;
  }

  /** Puts the wall clock forward, or back with a negative number. This makes no timer due. */
  jump(by: Duration): void {
    this.ahead += msOf(by);
    // Rounds notice that the wall clock was set: they come as soon as on a machine's clock.
    for (const timer of this.#timers)
      if (timer.isRound) timer.due = Math.min(timer.due, this.#monotonic + LONGEST_ROUND);
  }

  /** Lets time pass without running anything, as in the sleep of a laptop: timers due meanwhile fire late. */
  sleep(by: Duration): void {
    this.#monotonic += msOf(by);
  }

  /** @internal Sets a wait before each advance of time. */
  restBy(rest: () => Promise<void>): void {
    this.#rest = rest;
  }

  /** Called after each timer that fired, when all work is at rest. */
  protected stepped(): void {}

  /** Resolves once `what` finds something, or to `undefined` if it does not in a real time. */
  async #outside<T>(what: () => T | false | undefined): Promise<T | undefined> {
    const end = performance.now() + OUTSIDE_LIMIT;
    while (performance.now() < end) {
      const found = what();
      if (found !== false && found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return undefined;
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    this.#monotonic = Math.max(this.#monotonic, timer.due);
    timer.callback();
    await this.#rest();
    this.stepped();
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
