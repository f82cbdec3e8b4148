/** Ends a script that calls `job.skip(reason)`. */
class SkipError extends Error {
  override readonly name: string = "SkipError";
}

/** Ends a script that calls `exit(code)`, after which the run of its file ends. */
export class ExitError extends Error {
  override readonly name: string = "ExitError";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`the script called exit(${exitCode})`);
    this.exitCode = exitCode;
  }
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

  /** Whether what was thrown is no failure: by {@link skip}, or by `exit(0)`. */
  threw(error: unknown): boolean {
    if (!(error instanceof ExitError)) return error instanceof SkipError;
    if (!this.#inCatch && error.exitCode === 0) this.#reason ??= "its script called exit(0)";
    return error.exitCode === 0;
  }
}
