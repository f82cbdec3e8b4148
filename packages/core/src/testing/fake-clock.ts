import { operatorPart } from "../jobs/operator-part.js";
import { TestClock } from "../testing-kit/test-clock.js";

export { seeded, settled } from "../testing-kit/test-clock.js";

// Time must not pass on a fake clock while this is loaded.
await operatorPart();

/** The clock of our own tests: it begins at the same time in each. */
export class FakeClock extends TestClock {
  /** Called after each timer that fired, when all work is at rest. A test can check its invariants here. */
  afterStep: () => void = () => {};

  constructor(seed = 1) {
    super({ seed });
    this.wall = Date.UTC(2030, 0, 1);
  }

  /** How far the wall clock is ahead of the monotonic one; a test may set it. */
  get wall(): number {
    return this.ahead;
  }

  set wall(ahead: number) {
    this.ahead = ahead;
  }

  /** Lets time pass without firing timers, like a blocked process: timers due meanwhile fire late. */
  block(ms: number): void {
    this.sleep(ms);
  }

  protected override stepped(): void {
    this.afterStep();
  }
}
