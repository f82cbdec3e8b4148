import type { Clock } from "@ojm/core";
import type { Dispatch } from "../dispatch/dispatch.js";

/** The time between two attempts of a job: others have its slot, and a stop ends it. */
export class Pause {
  readonly #dispatch: Dispatch;
  readonly #clock: Clock;
  readonly #order: number;
  /** Takes the slot again, while others have it. */
  #takeBack: (() => Promise<void>) | undefined;

  /** `order`: the number of the request. */
  constructor(dispatch: Dispatch, clock: Clock, order: number) {
    this.#dispatch = dispatch;
    this.#clock = clock;
    this.#order = order;
  }

  /** Gives the slot to others. */
  begin(): void {
    this.#takeBack ??= this.#dispatch.lend(this.#order);
  }

  /** Resolves once the job has its slot again. */
  async end(): Promise<void> {
    const takeBack = this.#takeBack;
    this.#takeBack = undefined;
    await takeBack?.();
  }

  /** Whether others have the slot. */
  get isOn(): boolean {
    return this.#takeBack !== undefined;
  }

  /** Calls `listener` when all requests are stopped. Call the result to stop listening. */
  onStop(listener: () => void): () => void {
    return this.#dispatch.onStop(listener);
  }

  /** Resolves after some time to whether it was not ended by a stop. */
  async wait(ms: number): Promise<boolean> {
    this.begin();
    const goesOn = await new Promise<boolean>((resolve) => {
      const cancel = this.#clock.after(ms, () => resolve(true), true);
      const forget = this.onStop(() => resolve(false));
      this.#over = () => {
        cancel();
        forget();
      };
    });
    this.#over();
    await this.end();
    return goesOn;
  }

  #over: () => void = () => {};
}
