import type { Clock } from "../clock.js";
import type { FakeClock } from "./fake-clock.js";

/** The clock of one process of a simulation, which can be stopped, go on, and die. Its wall clock is its own. */
export class FakeProcess implements Clock {
  /** How far its wall clock is ahead of the world's. */
  ahead = 0;
  #state: "running" | "stopped" | "dead" = "running";
  #held: (() => void)[] = [];
  /** What takes back each timer that is set. */
  readonly #timers: Set<() => void> = new Set();
  readonly #world: FakeClock;

  constructor(world: FakeClock) {
    this.#world = world;
  }

  get running(): boolean {
    return this.#state === "running";
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
      this.#whenRunning(() => {
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
  readonly heard = (): Promise<void> => new Promise((resolve) => this.#whenRunning(resolve));

  #whenRunning(callback: () => void): void {
    if (this.#state === "running") callback();
    else if (this.#state === "stopped") this.#held.push(callback);
  }

  stop(): void {
    if (this.#state === "running") this.#state = "stopped";
  }

  goOn(): void {
    if (this.#state !== "stopped") return;
    this.#state = "running";
    const held = this.#held;
    this.#held = [];
    for (const callback of held) callback();
  }

  die(): void {
    this.#state = "dead";
    this.#held = [];
    // Those that are far off would be taken for what somebody who lives has left behind.
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
