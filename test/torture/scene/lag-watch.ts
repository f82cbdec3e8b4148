import { hostTime } from "./time.js";

/**
 * The interval between two checks of the timers, and the interval from which on it counts as a lag, in ms.
 */
const LOOK = 5;
const LAG = 12;

/** A stretch of time. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * Records when this process does not run its timers, and so nothing else of its program. It never keeps the
 * process alive.
 */
export class LagWatch {
  readonly lags: Stretch[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `tell` receives each lag. */
  constructor(tell: (lag: Stretch) => void = () => {}) {
    let last = hostTime();
    const look = (): void => {
      const from = last;
      last = hostTime();
      // The lag ends once all timers that were due have run, not with the first of them. A new timer comes
      // after them all, even if the process was suspended while it ran timers: Node checks only a millisecond
      // later which others became due meanwhile.
      if (last - from > LAG)
        setTimeout(() => setImmediate(() => this.#note({ from, to: hostTime() }, tell)), 1).unref();
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

/** How much of the time from `from` to `to` these stretches cover, in ms. Overlaps count once. */
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
