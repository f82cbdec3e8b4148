import type { Clock } from "../../util/clock.js";
import type { FakeClock } from "../fake-clock.js";

/**
 * The clock of one process of a simulation, which can be stopped, go on, and die. Its wall clock is its own.
 */
export class FakeProcess implements Clock {
  /** How far its wall clock is ahead of the world's. */
  ahead = 0;
  /** Since when it runs, by the world's clock, or it ran last. */
  since: number;
  /** How often it was stopped. */
  stops = 0;
  #state: "running" | "stopped" | "waking" | "dead" = "running";
  /** What came due, and what was heard, while it stood still: each in its order. */
  readonly #due: (() => void)[] = [];
  readonly #answers: (() => void)[] = [];
  /** What takes back each timer that is set. */
  readonly #timers: Set<() => void> = new Set();
  readonly #world: FakeClock;
  readonly #chance: () => number;

  /** `chance` decides on the order of what a process that goes on comes to. */
  constructor(world: FakeClock, chance: () => number = () => 0) {
    this.#world = world;
    this.#chance = chance;
    this.since = world.monotonic();
  }

  /** Whether it has come to all that happened while it stood still. */
  get running(): boolean {
    return this.#state === "running";
  }

  /** Whether it goes on, and has not yet come to all that happened while it stood still. */
  get waking(): boolean {
    return this.#state === "waking";
  }

  get dead(): boolean {
    return this.#state === "dead";
  }

  now(): number {
    return Math.floor(this.#world.now() + this.ahead);
  }

  monotonic(): number {
    return this.#world.monotonic();
  }

  random(length: number): string {
    return this.#world.random(length);
  }

  after(ms: number, callback: () => void): () => void {
    let cancelled = false;
    const cancel = this.#world.after(ms, () => {
      this.#timers.delete(cancel);
      this.#whenRunning(this.#due, () => {
        if (!cancelled) callback();
      });
    });
    this.#timers.add(cancel);
    return () => {
      cancelled = true;
      this.#timers.delete(cancel);
      cancel();
    };
  }

  /** Resolves while the process runs; else once it does again. */
  readonly heard = (): Promise<void> => new Promise((resolve) => this.#whenRunning(this.#answers, resolve));

  #whenRunning(held: (() => void)[], callback: () => void): void {
    if (this.#state === "running") callback();
    else if (this.#state !== "dead") held.push(callback);
  }

  stop(): void {
    if (this.#state === "dead") return;
    this.#state = "stopped";
    this.stops++;
  }

  goOn(): void {
    if (this.#state !== "stopped") return;
    this.#state = "waking";
    this.#wakeUp();
  }

  /**
   * One by one, each with all that follows from it at once: an answer before the timers that are overdue, or
   * after them, as it happens.
   */
  #wakeUp(): void {
    this.#world.after(0, () => {
      if (this.#state !== "waking") return;
      const [first, second] = this.#chance() < 0.5 ? [this.#due, this.#answers] : [this.#answers, this.#due];
      const next = first.shift() ?? second.shift();
      if (next === undefined) {
        this.#state = "running";
        this.since = this.#world.monotonic();
      } else {
        next();
        this.#wakeUp();
      }
    });
  }

  die(): void {
    this.#state = "dead";
    this.#due.length = 0;
    this.#answers.length = 0;
    // Those that are far off would be taken for what somebody who lives has left behind.
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
