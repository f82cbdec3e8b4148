import type { Run } from "@ojm/core";
import { maskUrls } from "../secrets.js";
import { JobError } from "./error.js";

/** The runs that a job started and has not ended: at the latest when the job ends, they end with it. */
export class OpenRuns {
  readonly #parent: OpenRuns | undefined;
  readonly #runs = new Map<string, Run>();
  readonly #onLost: (reason: Error) => void;

  /** `onLost` is called when a run must stop: its timeout passed, or its lock is gone. */
  constructor(onLost: (reason: Error) => void, parent?: OpenRuns) {
    this.#onLost = onLost;
    this.#parent = parent;
  }

  add(run: Run): void {
    this.#runs.set(run.name, run);
    run.signal.addEventListener("abort", () => {
      // A run that was ended fires too, or may: only what is still open ends the job.
      if (this.#runs.get(run.name) === run) this.#onLost(run.signal.reason as Error);
    });
    if (run.signal.aborted) this.#onLost(run.signal.reason as Error);
  }

  has(name: string): boolean {
    return this.#runs.has(name);
  }

  /** Ends the run of that name well: one of this job, or of the jobs that called it. */
  async end(name: string): Promise<void> {
    const run = this.#take(name);
    if (run === undefined) {
      throw new JobError(`oJobManager Job End: no run of "${name}" is open here. Was it started, and not ended yet?`);
    }
    await run.end();
  }

  /** Closes the run of that name as failed or, if the error is a stop, as cancelled. False if there is none. */
  async fail(name: string, error: Error): Promise<boolean> {
    const run = this.#take(name);
    if (run === undefined) return false;
    await close(run, error);
    return true;
  }

  /** Closes all runs of this job, well if there is no error. The first failure to do so is thrown when all were tried. */
  async closeAll(error?: Error): Promise<void> {
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    const results = await Promise.allSettled(runs.map((run) => (error === undefined ? run.end() : close(run, error))));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  #take(name: string): Run | undefined {
    const run = this.#runs.get(name);
    if (run === undefined) return this.#parent === undefined ? undefined : this.#parent.#take(name);
    this.#runs.delete(name);
    return run;
  }
}

async function close(run: Run, error: Error): Promise<void> {
  const cancelled = (error as { code?: unknown }).code === "CANCELLED";
  try {
    // The text alone: of which class our own error is says nothing to the reader of the record.
    const message = maskUrls(error.message);
    await (cancelled ? run.cancel(message) : run.fail(message));
  } catch (refusal) {
    // Timed out, lost or unlocked by force: whoever ended it has closed its record, with a better reason than ours.
    if (!run.signal.aborted) throw refusal;
  }
}
