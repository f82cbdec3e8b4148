import type { Run, Tick } from "@ojm/core";
import { maskUrls } from "@ojm/core/internal";
import { JobError, SkippedJob } from "./job-error.js";

export interface RunTick extends Tick {
  /** Other processes have the same ticks, and no store records which were run: each run claims its own. */
  readonly isClaimed?: boolean;
}

/** A run that was started before the job. The signal of the run ends the job. */
export interface HandedRun {
  readonly run: Run;
  /** Whether the job adopts it at its first start of that name. Else other processes cannot see it. */
  readonly isAdopted: boolean;
  /** Whether its log gets the output of the job, which does not adopt it. */
  readonly isLogged?: boolean;
  readonly isOrphaned: () => boolean;
}

/** A start of a run that failed before the job. The job's first start of that name fails likewise. */
export interface RefusedRun {
  readonly name: string;
  readonly error: unknown;
}

/** The runs that a job has started and not ended. They end with the job at the latest. */
export class OpenRuns {
  readonly #parent: OpenRuns | undefined;
  readonly #runs = new Map<string, Run>();
  /** Failures after which the job continued, for the records of the runs. */
  readonly #warnings = new Map<Run, string[]>();
  /** Runs that were started for the job, and that it has not adopted. */
  readonly #handed = new Set<HandedRun | RefusedRun>();
  readonly #leaves = new Map<Run, () => boolean>();
  readonly #onLost: (reason: Error, run?: Run) => void;
  readonly #mask: (text: string) => string;

  /** `onLost`: a run must stop, for its timeout or its lost lock. `mask` hides secrets in the records. */
  constructor(onLost: (reason: Error, run?: Run) => void, mask: (text: string) => string, parent?: OpenRuns) {
    this.#onLost = onLost;
    this.#mask = mask;
    this.#parent = parent;
  }

  get open(): ReadonlySet<Run> {
    return new Set(this.#runs.values());
  }

  /** The runs whose logs get the job's output: its own open ones, and those of the jobs that called it. */
  *around(): Generator<Run, void, undefined> {
    yield* this.#runs.values();
    for (const handed of this.#handed) if ("run" in handed && handed.isLogged === true) yield handed.run;
    if (this.#parent !== undefined) yield* this.#parent.around();
  }

  /** Records with these runs that the job continued after a failure. */
  warn(text: string, runs: Iterable<Run>): void {
    for (const run of runs) this.#warnings.set(run, [...(this.#warnings.get(run) ?? []), text]);
  }

  add(run: Run): void {
    this.#runs.set(run.name, run);
    run.signal.addEventListener("abort", () => {
      // The signal of a run that has ended may fire too. Only an open run ends the job.
      if (this.#runs.get(run.name) === run) this.#onLost(run.signal.reason as Error, run);
    });
    if (run.signal.aborted) this.#onLost(run.signal.reason as Error, run);
  }

  /** Takes a run that was started for the job: its signal ends the job. */
  hand(handed: HandedRun | RefusedRun): void {
    this.#handed.add(handed);
    if ("error" in handed) return;
    const { signal } = handed.run;
    const onAbort = (): void => {
      if (this.#handed.has(handed)) this.#onLost(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  }

  /** Makes the run that was started under this name one of the job. Throws the error of a failed start. */
  adopt(name: string): boolean {
    for (const handed of this.#handed) {
      if ("error" in handed ? handed.name !== name : !handed.isAdopted || handed.run.name !== name) continue;
      this.#handed.delete(handed);
      if ("error" in handed) throw handed.error;
      this.#leaves.set(handed.run, handed.isOrphaned);
      this.add(handed.run);
      return true;
    }
    return false;
  }

  has(name: string): boolean {
    return this.#runs.has(name);
  }

  /** Ends the run of that name as completed. It may belong to this job or to a job that called it. */
  async end(name: string): Promise<void> {
    const run = this.#take(name);
    if (run === undefined) {
      throw new JobError(`oJobManager Job End: no run of "${name}" is open here. Was it started, and not ended yet?`);
    }
    await this.#complete(run);
  }

  /** The open run of that name, of this job or of a job that called it. */
  find(name: string): Run | undefined {
    return this.#runs.get(name) ?? this.#parent?.find(name);
  }

  /** Ends that run as completed, with a result. */
  async endWith(name: string, result: unknown): Promise<void> {
    await this.#take(name)?.end(result);
  }

  /** Closes the run of that name as failed, or as cancelled for a stop. False if there is none. */
  async fail(name: string, error: Error): Promise<boolean> {
    const run = this.#take(name);
    if (run === undefined) return false;
    await this.#close(run, error);
    return true;
  }

  /** Closes the runs not in `others`, without `error` as completed. Throws the first failure at the end. */
  async closeAll(error?: Error, others: ReadonlySet<Run> = new Set()): Promise<void> {
    const runs = [...this.#runs.values()].filter((run) => !others.has(run));
    for (const run of runs) this.#runs.delete(run.name);
    const close = (run: Run): Promise<unknown> => (error === undefined ? this.#complete(run) : this.#close(run, error));
    const results = await Promise.allSettled(runs.map(close));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  #take(name: string): Run | undefined {
    const run = this.#runs.get(name);
    if (run === undefined) return this.#parent === undefined ? undefined : this.#parent.#take(name);
    this.#runs.delete(name);
    return run;
  }

  #complete(run: Run): Promise<unknown> {
    const warnings = this.#warnings.get(run);
    return run.end(warnings && { warnings });
  }

  async #close(run: Run, error: Error): Promise<void> {
    const cancelled = (error as { code?: unknown }).code === "CANCELLED";
    if (cancelled && !(error instanceof SkippedJob) && this.#leaves.get(run)?.() === true) return;
    try {
      await closeRun(run, error, this.#mask);
    } catch (refusal) {
      // It timed out, was lost or was unlocked by force: its record has a more exact reason already.
      if (!run.signal.aborted) throw refusal;
    }
  }
}

export async function closeRun(run: Run, error: Error, mask: (text: string) => string): Promise<void> {
  // Pass only the text: the class of our own error means nothing to a reader of the record.
  const message = maskUrls(mask(error.message));
  if (error instanceof SkippedJob) await run.skip(message);
  else if ((error as { code?: unknown }).code === "CANCELLED") await run.cancel(message);
  else {
    if (error instanceof JobError && error.failure.exit !== undefined) run.exited(...error.failure.exit);
    await run.fail(message);
  }
}
