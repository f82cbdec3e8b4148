import { isRunError, type RetryOptions, type Run } from "@ojm/core";
import type { Log } from "../../output/log.js";
import { JobError, SkippedJob } from "../runtime/job-error.js";
import { closeRun } from "../runtime/open-runs.js";
import type { Runtime } from "../runtime/runtime.js";
import type { HandedRun } from "./handed-run.js";

/** What a run that is started before its job needs of the engine. */
export interface RunHost {
  readonly log: Log;
  readonly runtime: Runtime;
  /** Why no job may start; `undefined` while jobs may. */
  readonly refusal: string | undefined;
  /** Whether the grace period of a stop is over. */
  readonly killed: boolean;
}

/**
 * The failure of an attempt that did not begin, as the jobs were stopped. One that is cancelled ends its
 * chain, unless it is left to others.
 */
export function notBegun(reason: string, retry: RetryOptions | undefined): JobError {
  const isLast = retry === undefined || retry.onLost === true;
  return isLast ? stopped(reason) : new JobError(`the job was not started: ${reason}`);
}

/** The failure of a job that was stopped before it began. */
export function stopped(reason: string): JobError {
  const message = `the job was stopped: ${reason}`;
  return new JobError(message, { failure: { name: "StopError", message, code: "CANCELLED" } });
}

/** A run that was started for a job, which adopts it. */
export class RunOfJob {
  readonly handed: HandedRun;
  readonly #host: RunHost;
  readonly #hasMore: boolean;

  /** `retry`: how the run is tried again. With `onLost`, a stop of this process leaves it to another. */
  constructor(host: RunHost, run: Run, retry: RetryOptions | undefined, isAdopted = true) {
    this.#host = host;
    const { onLost = false, attempts } = retry ?? { attempts: 1 };
    this.#hasMore = run.attempt < attempts;
    this.handed = { run, isAdopted, isLeft: () => onLost && host.refusal !== undefined && !run.signal.aborted };
  }

  /**
   * Closes the run of a job that ended with an error, unless the job has closed it. A job that stopped within
   * the grace hands its run over: another process makes the same attempt. `left`: it was ended by force, and
   * its run stays open until the manager is closed, which records it as `lost`.
   */
  async close(error: unknown): Promise<"left" | "handed over" | "skipped" | "failed"> {
    const { run, isLeft } = this.handed;
    const isSkipped = error instanceof SkippedJob;
    const isStopped = !isSkipped && (error as { code?: unknown }).code === "CANCELLED";
    const isOthers = isStopped && isLeft();
    if (isOthers && this.#host.killed && this.#hasMore) return "left";
    try {
      if (isOthers && !this.#host.killed) {
        await run.handOver((error as Error).message);
        return "handed over";
      }
      await closeRun(run, error as Error, (text) => this.#host.log.mask(text));
    } catch (refusal) {
      // The job has closed it, or it timed out or was lost.
      if (!isRunError(refusal)) throw refusal;
    }
    return isSkipped ? "skipped" : "failed";
  }
}
