import type { Run } from "@ojm/core";
import type { JobProgress } from "./live-lines.js";
import { HeldLines, type Level, type Log } from "./log.js";

/** The runs that are open while a job prints. */
export interface RunsAround {
  around(): Iterable<Pick<Run, "log" | "progress">>;
}

/** The runs that are open around a job, and those around the job of another file that runs it. */
export function allAround(inner: RunsAround, outer: RunsAround | undefined): RunsAround {
  if (outer === undefined) return inner;
  return { around: () => new Set([...inner.around(), ...outer.around()]) };
}

interface Shown {
  shown: boolean;
  describe(): string;
}

const LEVELS = { DEBUG: "debug", INFO: "info", WARN: "warn", ERROR: "error" } as const;

/**
 * The output of one execution of a job: on the terminal, in the log files, and in the logs of the runs that
 * are open meanwhile. Secrets are masked in all of them, and the log of a run never blocks the job.
 */
export class JobOutput {
  readonly #log: Log;
  readonly #job: string;
  readonly #runs: RunsAround;
  readonly #label: string | undefined;
  readonly #held: HeldLines = new HeldLines();

  /** `label` names one of several runs of the job. */
  constructor(log: Log, job: string, runs: RunsAround, label?: string) {
    this.#log = log;
    this.#job = job;
    this.#runs = runs;
    this.#label = label;
  }

  /** A line of ojm about the job. Returns it without secrets. */
  line(level: Level, message: string): string {
    const text = this.#log.line(level, message, this.#job);
    this.#record(level, text);
    return text;
  }

  scriptLine(level: Level, message: string, time: number): void {
    this.#record(level, this.#log.scriptLine(level, message, time, this.#job));
  }

  /** Text that a script, or a program of it, prints. */
  print(text: string, toError = false): void {
    if (text === "") return;
    const shown = this.#log.print(text, toError, this.#label ?? this.#job, this.#held);
    for (const run of this.#runs.around()) run.log.write(shown, toError ? "stderr" : "stdout");
  }

  progress({ done, total, text }: JobProgress): void {
    const shown = this.#log.progress(this, this.#label ?? this.#job, { done, total, text });
    for (const run of this.#runs.around()) run.progress(done, total, shown);
  }

  /** Reports why the job failed, once for each error. */
  show(error: Shown): void {
    if (error.shown) return;
    error.shown = true;
    this.#record("ERROR", this.#log.failure(this.#job, error.describe(), this.#label));
  }

  /** The job began: a terminal shows it until {@link JobOutput.end}. */
  begin(): void {
    this.#log.working(this, this.#label ?? this.#job);
  }

  end(): void {
    this.#log.printRest(this.#label ?? this.#job, this.#held);
    this.#log.over(this);
  }

  #record(level: Level, text: string): void {
    for (const run of this.#runs.around()) run.log[LEVELS[level]](text);
  }
}
