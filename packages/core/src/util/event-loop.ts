import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "./clock.js";

/** Counts calls in flight, so that a close can wait until there are none. */
export class InFlight {
  readonly #above: InFlight | undefined;
  #count = 0;
  #onNone: (() => void)[] = [];

  /** `above`: a counter that counts these calls and others. */
  constructor(above?: InFlight) {
    this.#above = above;
  }

  begin(): void {
    this.#above?.begin();
    this.#count++;
  }

  end(): void {
    this.#above?.end();
    if (--this.#count > 0) return;
    const waiting = this.#onNone;
    this.#onNone = [];
    for (const resolve of waiting) resolve();
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  /** Resolves once no call is in flight. */
  async none(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#onNone.push(resolve));
  }
}

/** The interval of a timer whose only purpose is to be pending, in ms. */
const FOREVER = 2_147_483_647;

let holders = 0;
let timer: NodeJS.Timeout | undefined;

/**
 * Keeps the process alive until the result is called, for a caller that awaits an event. A store inside this
 * process has no socket that would keep it alive.
 */
export function keepAlive(): () => void {
  holders++;
  timer ??= setInterval(() => {}, FOREVER);
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    if (--holders > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The longest time for which a loop blocks the event loop, in ms. */
const SLICE = 20;

/** Breaks in a loop that computes, so that heartbeats and other work of the process can run. */
export class Breaks {
  #since: number = performance.now();

  /** Await it in each round. Takes a break if the last one was long ago. */
  async take(): Promise<void> {
    if (performance.now() < this.#since + SLICE) return;
    await turn();
    this.#since = performance.now();
  }
}

/** Resolves once `work` does, or after `ms`. `isAwaited`: keeps the process alive. `work` must not reject. */
export async function atMost(
  clock: Clock,
  ms: number,
  work: Promise<unknown> | undefined,
  isAwaited = true,
): Promise<void> {
  let cancel = (): void => {};
  const moment = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve, isAwaited);
  });
  await Promise.race([moment, work]);
  cancel();
}
