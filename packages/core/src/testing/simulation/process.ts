import type { Clock } from "../../util/clock.js";
import type { FakeClock } from "../fake-clock.js";

/** The clock of a simulated process, which can be stopped, resumed and killed, with a date of its own. */
export class FakeProcess implements Clock {
  /** How far its wall clock is ahead of the world's. */
  ahead = 0;
  /** When it last began to run, by the world's clock. */
  since: number;
  /** How often it was stopped. */
  stops = 0;
  #state: "running" | "stopped" | "waking" | "dead" = "running";
  /** The timers that came due and the answers that arrived while it was stopped, each in order. */
  readonly #due: (() => void)[] = [];
  readonly #answers: (() => void)[] = [];
  /** Cancels each timer that is set. */
  readonly #timers: Set<() => void> = new Set();
  readonly #world: FakeClock;
  readonly #chance: () => number;

  /** `chance` decides the order in which a resumed process handles missed events. */
  constructor(world: FakeClock, chance: () => number = () => 0) {
    this.#world = world;
    this.#chance = chance;
    this.since = world.monotonic();
  }

  /** Whether it runs, and has handled all events from the time in which it was stopped. */
  get running(): boolean {
    return this.#state === "running";
  }

  /** Whether it was resumed, and has not yet handled all events from the time in which it was stopped. */
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

  /** Resolves at once while the process runs; otherwise once it runs again. */
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
   * Handles the missed events one by one, each with all its immediate consequences. Chance decides whether an
   * answer comes before the overdue timers or after them.
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
    // The test would mistake far-off timers for leftovers of a living process.
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
