import type { FailureData } from "../../script/protocol.js";
import { JobError } from "../runtime/job-error.js";

/** Why a job must not go on: somebody asked it to stop, or its current step was ended. */
export class Interruption {
  readonly #stopping = new AbortController();
  #ending = new AbortController();
  #failure: FailureData | undefined;

  /** Fires on a stop, and when the current step is ended. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#stopping.signal, this.#ending.signal]);
  }

  /** The request to stop, if there was one. */
  get stop(): FailureData | undefined {
    return this.#stopping.signal.aborted ? (this.#stopping.signal.reason as FailureData) : undefined;
  }

  /** Why the current step was ended, as an error; `undefined` if it was not. */
  get error(): JobError | undefined {
    return this.#failure === undefined ? undefined : new JobError(this.#failure.message, { failure: this.#failure });
  }

  requestStop(reason: string): void {
    this.#stopping.abort(stopFailure(reason));
  }

  /** Ends what the current step waits for. The first reason counts. */
  end(failure: FailureData): void {
    this.#failure ??= failure;
    this.#ending.abort(failure);
  }

  /** The steps of `catch` start afresh: what ended the step before them has been dealt with. */
  clear(): void {
    this.#failure = undefined;
    this.#ending = new AbortController();
  }
}

/** The failure of a job that was asked to stop. */
export function stopFailure(reason: string): FailureData {
  return { name: "StopError", message: `the job was stopped: ${reason}`, code: "CANCELLED" };
}
