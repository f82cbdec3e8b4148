import { visible } from "@ojm/core/internal";
import type { Log } from "../output/log.js";
import type { JobOutcome, Request } from "./dispatch/requests.js";
import type { JobError } from "./runtime/job-error.js";

/** Tells the log what became of jobs, and remembers whether all went well. */
export class Report {
  readonly #log: Log;
  readonly #warned = new Set<string>();
  #well = true;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Whether no job failed, and none was skipped against the intent of the job file. */
  get well(): boolean {
    return this.#well;
  }

  /** Shows why a job failed, unless the job has shown it. `silent` while the jobs are being stopped. */
  failed(job: string, error: JobError, silent = false): void {
    this.#well = false;
    if (!error.shown && !silent) this.#log.failure(job, error.describe());
  }

  skipped({ job, tick }: Request, { reason, intended }: JobOutcome & { status: "skipped" }): void {
    if (!intended) {
      this.#well = false;
      this.#log.line("ERROR", `job "${job.name}" was skipped: ${reason}`);
    } else if (tick === undefined) this.jobSkipped(job.name, reason);
  }

  /** Shows why a job did not run, as the job file intends. */
  jobSkipped(job: string, reason: string): void {
    this.#log.note(`-- ${visible(job)}: skipped, ${visible(reason)}`);
  }

  /** Shows why a job did not run for a tick of its schedule. Every tick is accounted for. */
  tickSkipped(job: string, at: number, reason: string): void {
    this.#log.line("INFO", `"${job}" was skipped at its tick of ${new Date(at).toISOString()}: ${reason}`);
  }

  /** Warns once of a template or a variable without a value. */
  warnMissing(job: string, argument: string, written: string): void {
    const message = `nothing fills ${written} in the argument "${argument}" of the job "${job}".`;
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#log.line("WARN", message);
  }
}
