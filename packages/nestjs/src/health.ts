import type { Ojm } from "./ojm.js";

/** What {@link OjmHealthIndicator.isHealthy} reports. */
export interface OjmHealth {
  readonly status: "up" | "down";
  /** The reason for `down`. */
  readonly message?: string;
}

/** A health indicator for `@nestjs/terminus`. */
export class OjmHealthIndicator {
  readonly #ojm: Ojm;

  /** @internal Import `OjmModule.forRoot()`, and inject it. */
  constructor(ojm: Ojm) {
    this.#ojm = ojm;
  }

  /**
   * `up` if the store answers and the application does not close.
   *
   * @example
   * health.check([() => ojm.isHealthy()]);
   */
  async isHealthy(key: string = "ojm"): Promise<Record<string, OjmHealth>> {
    const message = await this.#ojm.whyNotReady();
    return { [key]: message === undefined ? { status: "up" } : { status: "down", message } };
  }
}
