import type { Clock } from "../util/clock.js";
import { checkedDuration, type Duration } from "../util/duration.js";
import { refuse } from "./acquire/acquisition.js";

/** The default grace of a close, in ms: how long running job functions may take to return. */
export const GRACE = 10_000;

/** Options of a close. */
export interface CloseOptions {
  /**
   * How long running job functions may take to return. Their signals fire at once, and their locks stay held
   * until they return. Default: 10 s.
   */
  readonly grace?: Duration;
}

/** The time for job functions to return after a close. A later close joins, and may shorten it. */
export class Grace {
  readonly #clock: Clock;
  #until = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};
  #end: () => void = () => {};
  readonly #over: Promise<void> = new Promise((resolve) => {
    this.#end = resolve;
  });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The rest of the time, in ms. */
  get left(): number {
    return Math.max(0, this.#until - this.#clock.monotonic());
  }

  /**
   * Limits the rest of the grace to the `grace` of the options. Never extends it.
   *
   * @throws ChannelError `INVALID_ARGUMENT` if `grace` is not a duration
   */
  limit(options: CloseOptions = {}): void {
    const grace = checkedDuration("grace", options.grace ?? GRACE, refuse);
    const until = this.#clock.monotonic() + grace;
    if (until >= this.#until) return;
    this.#until = until;
    this.#cancel();
    if (grace === 0) this.#end();
    else this.#cancel = this.#clock.after(grace, this.#end, true);
  }

  /** Resolves once `work` does, or at the end of the grace. `work` must not reject. */
  async wait(work: Promise<unknown>): Promise<void> {
    await Promise.race([work, this.#over]);
  }

  /** Cancels the timer. */
  stop(): void {
    this.#cancel();
  }
}
