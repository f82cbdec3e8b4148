import { hostTime } from "./time.js";

/**
 * How often it is looked whether the process comes to its timers, and from when on it counts that it did not,
 * in ms.
 */
const LOOK = 5;
const LAG = 12;

/** A stretch of time. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * Notes when this process does not come to its timers, and so to nothing else that a program does. It never
 * keeps the process.
 */
export class LagWatch {
  readonly lags: Stretch[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `tell` is called with each. */
  constructor(tell: (lag: Stretch) => void = () => {}) {
    let last = hostTime();
    const look = (): void => {
      const from = last;
      last = hostTime();
      // It has come to its timers once all that were due have had their turn, and not with the first of them.
      if (last - from > LAG) setImmediate(() => this.#note({ from, to: hostTime() }, tell));
      this.#timer = setTimeout(look, LOOK).unref();
    };
    look();
  }

  #note(lag: Stretch, tell: (lag: Stretch) => void): void {
    this.lags.push(lag);
    tell(lag);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** How much of the time between two moments is in one of these stretches or more. */
export function covered(stretches: readonly Stretch[], from: number, to: number): number {
  let sum = 0;
  let end = from;
  for (const stretch of [...stretches].sort((a, b) => a.from - b.from)) {
    const start = Math.max(end, stretch.from);
    end = Math.max(end, Math.min(to, stretch.to));
    sum += Math.max(0, end - start);
  }
  return sum;
}
