/** Ends a script that calls `job.skip(reason)`. */
class SkipError extends Error {
  override readonly name: string = "SkipError";
}

/** Whether the script of a step has ended its job as skipped. */
export class Skipping {
  readonly #inCatch: boolean;
  #reason: string | undefined;

  /** `inCatch`: the script is a step of `catch`. */
  constructor(inCatch: boolean) {
    this.#inCatch = inCatch;
  }

  /**
   * Why the job is skipped. It is kept also if the script catches what {@link skip} throws: a `catch` around
   * everything must not make the job do its work after all.
   */
  get reason(): string | undefined {
    return this.#reason;
  }

  skip(reason: unknown): never {
    if (this.#inCatch) throw new Error("job.skip() in a catch: the job has failed already");
    const text = reason === undefined || reason === null ? "" : String(reason).trim();
    this.#reason ??= text === "" ? "its script said so" : text;
    throw new SkipError(`the job is skipped: ${this.#reason}`);
  }

  /** Whether this is what {@link skip} threw. */
  threw(error: unknown): boolean {
    return error instanceof SkipError;
  }
}
