import type { Run } from "@ojm/core";
import type { FailureData } from "../../script/protocol.js";
import { JobError } from "../runtime/job-error.js";

/**
 * What ended a step: a limit of the job at this level of steps within steps, where what comes from outside of
 * the job has the level 0; or a run that may not go on.
 */
export type EndedBy = number | Run;

/** Why a job must not go on: somebody asked it to stop, or its current step was ended. */
export class Interruption {
  readonly #stopping = new AbortController();
  #ending = new AbortController();
  readonly #ends: { readonly failure: FailureData; readonly by: EndedBy }[] = [];
  /** How many of the ends have been dealt with. */
  #cleared = 0;
  #reason: string | undefined;

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
    const failure = this.#ends[this.#cleared]?.failure;
    return failure === undefined ? undefined : new JobError(failure.message, { failure });
  }

  /**
   * @throws JobError if the current step was ended, or after a stop: then only the steps of `catch` may run,
   * during the grace period
   */
  expectToGoOn(mayCleanUp: boolean): void {
    const { stop, error } = this;
    if (error !== undefined) throw error;
    if (stop !== undefined && !mayCleanUp) throw new JobError(stop.message, { failure: stop });
  }

  /** How often something was ended. */
  get count(): number {
    return this.#ends.length;
  }

  /** What has ended something after the first `count` ends, also if that has been dealt with. */
  since(count: number): readonly EndedBy[] {
    return this.#ends.slice(count).map(({ by }) => by);
  }

  requestStop(reason: string): void {
    this.#reason ??= reason;
    this.#stopping.abort(stopFailure(reason));
  }

  /** The failure of a script, with the reason if the script was asked to stop. */
  explained(failure: FailureData): FailureData {
    if (this.#reason === undefined || failure.name !== "StopError") return failure;
    return { ...failure, message: `${failure.message}: ${this.#reason}` };
  }

  /** Ends what the current step waits for. The first reason counts. */
  end(failure: FailureData, by: EndedBy): void {
    this.#ends.push({ failure, by });
    this.#ending.abort(failure);
  }

  /** The next steps start afresh, as those of `catch`: what ended the step before has been dealt with. */
  clear(): void {
    this.#cleared = this.#ends.length;
    this.#ending = new AbortController();
  }
}

/** The failure of a job that was asked to stop. */
export function stopFailure(reason: string): FailureData {
  return { name: "StopError", message: `the job was stopped: ${reason}`, code: "CANCELLED" };
}
