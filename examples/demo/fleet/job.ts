import type { Clock, Run } from "@ojm/core";
import type { ScheduleDefinition } from "@ojm/schedule";
import { Dice } from "../world/dice.js";
import type { Times } from "../world/times.js";

/** A job of the fleet. */
export interface DemoJob {
  readonly name: string;
  readonly definition: ScheduleDefinition;
  /** How it is scheduled when the demo continues in real time. Default: as in the week. */
  readonly live?: ScheduleDefinition;
  body(work: Work): Promise<unknown>;
}

/** The context of a body: its run, time, and chance. */
export class Work {
  readonly run: Run;
  readonly dice: Dice;
  readonly times: Times;
  readonly #clock: Clock;

  constructor(run: Run, clock: Clock, seed: number, times: Times) {
    this.run = run;
    this.times = times;
    // Not the start time of the attempt: attempts of the same tick have the same luck until something is
    // fixed.
    this.dice = new Dice(seed, run.name, run.tick?.at ?? run.startTime, run.attempt);
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock.now();
  }

  /** Lets time pass. Rejects when the run must stop. Nothing takes longer than the week. */
  async sleep(ms: number): Promise<void> {
    const { signal } = this.run;
    signal.throwIfAborted();
    const most = Math.max(0, this.times.end - 2_000 - this.now);
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.#clock.after(
        Math.min(ms, most),
        () => {
          signal.removeEventListener("abort", stop);
          resolve();
        },
        true,
      );
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** Sleeps for about this time: a quarter more or less. */
  about(ms: number): Promise<void> {
    return this.sleep(Math.round(ms * (0.75 + this.dice.chance() / 2)));
  }

  /**
   * Processes `total` items one after the other, and reports the progress. `each`: about how long an item
   * takes.
   */
  async each(total: number, each: number, text: string, done: (n: number) => void = () => {}): Promise<void> {
    // In the simulation only the last progress of a run is visible, and each one costs a write.
    const isSeen = this.times.end === Number.POSITIVE_INFINITY;
    for (let n = 1; n <= total; n++) {
      if (isSeen) this.run.progress(n - 1, total, text);
      await this.about(each);
      done(n);
    }
    this.run.progress(total, total, text);
  }
}

const paint =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[39m`;

/** Colours as command line programs write them into their output. */
export const red: (text: string) => string = paint(31);
export const green: (text: string) => string = paint(32);
export const yellow: (text: string) => string = paint(33);
export const cyan: (text: string) => string = paint(36);
