import type { Ojm } from "./ojm.js";

/** A health indicator for `@nestjs/terminus`. */
export class OjmHealthIndicator {
  readonly #ojm: Ojm;

  /** @internal Import `OjmModule.forRoot()`, and inject it. */
  constructor(ojm: Ojm) {
    this.#ojm = ojm;
  }

  /**
   * Resolves if the store answers and the application does not close.
   *
   * @throws an error that Terminus reports as `down`
   * @example
   * health.check([() => ojm.isHealthy()]);
   */
  async isHealthy(key: string = "ojm"): Promise<Record<string, { status: "up" }>> {
    if (await this.#ojm.isReady()) return { [key]: { status: "up" } };
    const message = "the store does not answer, or the application closes";
    // Every version of Terminus recognises its errors by this flag.
    throw Object.assign(new Error(message), {
      isHealthCheckError: true,
      causes: { [key]: { status: "down", message } },
    });
  }
}
