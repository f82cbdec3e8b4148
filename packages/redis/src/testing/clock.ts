import { type Clock, systemClock } from "@ojm/core/backend";

/** The system's clock, except that a test can make its monotonic time jump. */
export class LeapingClock implements Clock {
  #leapt = 0;
  readonly now: Clock["now"] = systemClock.now;
  readonly after: Clock["after"] = systemClock.after;
  readonly random: Clock["random"] = systemClock.random;

  monotonic(): number {
    return systemClock.monotonic() + this.#leapt;
  }

  leap(ms: number): void {
    this.#leapt += ms;
  }
}
