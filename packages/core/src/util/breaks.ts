import { setImmediate as turn } from "node:timers/promises";

/** The longest time in which a loop keeps the event loop to itself, in ms. */
const SLICE = 20;

/** Breaks in a loop that computes: heartbeats and other work of the process run meanwhile. */
export class Breaks {
  #since: number = performance.now();

  /** Await it in each round. Takes a break if the last one is long ago. */
  async take(): Promise<void> {
    if (performance.now() < this.#since + SLICE) return;
    await turn();
    this.#since = performance.now();
  }
}
