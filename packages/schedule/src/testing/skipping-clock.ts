import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import type { Clock } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";

interface Timer {
  readonly due: number;
  readonly callback: () => void;
  /** Whether a caller waits for it. Heartbeats and the like are late after a skip, as after a sleep. */
  readonly awaited: boolean;
}

/**
 * A clock that runs like the machine's, but lets a test skip the time in which nothing happens. Threads and
 * other processes find a clock that never runs ahead of them: skipped time makes nothing time out, even on a
 * slow machine.
 */
export class SkippingClock implements Clock {
  /** The error of the wall clock; a test may set it. */
  wall = 0;
  readonly #start: number;
  readonly #began: number = systemClock.monotonic();
  #skipped = 0;
  #timers: Timer[] = [];

  constructor(start: string) {
    this.#start = Date.parse(start);
  }

  now(): number {
    return Math.floor(this.#start + this.#passed() + this.wall);
  }

  monotonic(): number {
    return this.#began + this.#passed();
  }

  after(ms: number, callback: () => void, keepAlive = false): () => void {
    const timer = { due: this.monotonic() + ms, callback, awaited: keepAlive };
    const place = this.#timers.findLastIndex(({ due }) => due <= timer.due);
    this.#timers.splice(place + 1, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  random(length: number): string {
    return systemClock.random(length);
  }

  /** Lets time pass without running anything, like a process that sleeps: due timers fire late. */
  sleep(ms: number): void {
    this.#skipped += ms;
  }

  /** Lets time pass until the wall clock reaches `end`, and skips it whenever `idle` returns true. */
  async until(end: string, idle: () => boolean): Promise<void> {
    const last = this.monotonic() + Date.parse(end) - this.now();
    await this.while(() => this.monotonic() < last, idle, last);
  }

  /** Lets time pass as long as `going` returns true. */
  async while(going: () => boolean, idle: () => boolean, last: number = Number.POSITIVE_INFINITY): Promise<void> {
    while (going()) {
      await (idle() ? turn() : pause(1));
      const [next] = this.#timers;
      const due = Math.min(this.#timers.find(({ awaited }) => awaited)?.due ?? last, last);
      if (idle() && Number.isFinite(due)) this.#skipped += Math.max(0, due - this.monotonic());
      if (next === undefined || next.due > this.monotonic()) continue;
      this.#timers.shift();
      next.callback();
    }
  }

  #passed(): number {
    return systemClock.monotonic() - this.#began + this.#skipped;
  }
}
