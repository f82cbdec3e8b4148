import type { Clock, Run } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { maskUrls } from "@ojm/core/internal";
import type { Args, CodeBlock } from "../../load/job-file.js";
import type { PlannedJob, Step } from "../../plan/planned.js";
import { failureText, toFailure } from "../../script/failure.js";
import type { FailureData } from "../../script/protocol.js";
import { place } from "../../text/problem.js";
import type { Execution } from "../engine.js";
import { JobError, SkippedJob, toJobError } from "../runtime/job-error.js";

type EndableExecution = Execution & { end(failure: FailureData, by: EndedBy): void };

interface Beginning {
  /** How often the job had been ended by then. */
  readonly ends: number;
  readonly open: ReadonlySet<Run>;
}

/** Enforces the limits of single steps, and continues after those that may fail. */
export class StepRunner {
  readonly #execution: EndableExecution;
  readonly #interruption: Interruption;
  #level = 0;
  #stayOpen: ReadonlySet<Run> | undefined;

  constructor(execution: EndableExecution, interruption: Interruption) {
    this.#execution = execution;
    this.#interruption = interruption;
  }

  /** Whether the job continues if the current step fails. The failure is shown once that is certain. */
  get tolerant(): boolean {
    return this.#stayOpen !== undefined;
  }

  /** The runs that stay open if the current step fails: the job continues under their locks. */
  get stayOpen(): ReadonlySet<Run> {
    return this.#stayOpen ?? new Set();
  }

  /**
   * Begins the steps of a job. Those of a job that is itself a step are one level deeper. Returns the level,
   * which distinguishes an end by the limits of the job from one that comes from farther out.
   */
  enter(): number {
    return this.#level++;
  }

  leave(): void {
    this.#level--;
  }

  /** Runs a step as its options say. Resolves with the arguments for the next step. */
  async run(step: Step, owner: PlannedJob, args: Args, body: () => Promise<Args>): Promise<Args> {
    const { timeout, continueOnError = false } = step;
    const interruption = this.#interruption;
    const { runs, engine } = this.#execution;
    const beginning = { ends: interruption.count, open: runs.open };
    const name = `${nameOf(step)} of "${owner.name}"`;
    const message = `${name} took longer than its timeout of ${durationText(timeout ?? 0)}`;
    const late = { name: "JobError", message, code: "TIMEOUT" };
    const level = this.#level;
    let isLate = false;
    const expire = (): void => {
      isLate = true;
      this.#execution.end(late, level);
    };
    const lift = timeout === undefined ? () => {} : engine.runtime.clock.after(timeout, expire, true);
    const before = this.#stayOpen;
    if (continueOnError) this.#stayOpen = beginning.open;
    try {
      const result = await body();
      // The timeout fired after the step had done its work, so nothing was left to end.
      if (isLate && this.#isOwn(beginning)) interruption.clear();
      return result;
    } catch (error) {
      if (error instanceof SkippedJob) throw error;
      let failure = toJobError(error, owner.at);
      if (isLate && failure.message !== message) {
        const { args } = failure;
        failure = Object.assign(new JobError(message, { at: owner.at, failure: late, cause: error }), { args });
      }
      if (!continueOnError || !this.#isOwn(beginning) || !this.#areOpen(beginning)) throw failure;
      interruption.clear();
      await this.#continue(name, failure, beginning);
      return failure.args ?? args;
    } finally {
      lift();
      this.#stayOpen = before;
    }
  }

  /** Whether nothing outside the step has ended it: a stop, the job's timeout, or the loss of its lock. */
  #isOwn({ ends, open }: Beginning): boolean {
    const interruption = this.#interruption;
    const within = (by: EndedBy): boolean => (typeof by === "number" ? by >= this.#level : !open.has(by));
    return interruption.stop === undefined && interruption.since(ends).every(within);
  }

  /** Whether the runs that were open before still are: a step that ended one has released the lock. */
  #areOpen({ open }: Beginning): boolean {
    const now = this.#execution.runs.open;
    return [...open].every((run) => now.has(run));
  }

  /** Logs a failure that does not end the job, and closes the runs that the step left open. */
  async #continue(step: string, failure: JobError, { open }: Beginning): Promise<void> {
    const { output, runs } = this.#execution;
    const at = failure.at === undefined ? "" : ` (${place(failure.at)})`;
    const what = failure.message.startsWith(step)
      ? `${failure.message}, and the job continues`
      : `${step} failed, and the job continues: ${failure.message}${at}`;
    runs.warn(output.line("WARN", maskUrls(what)), open);
    // Otherwise the job would close them as completed at its end.
    await runs.closeAll(failure, open);
  }
}

function nameOf(step: Step): string {
  if ("job" in step) return `the step "${step.job}"`;
  return "shortcut" in step ? `the step (${step.shortcut.name})` : "the script";
}

/** The interval between two evaluations of `stopWhen`, in ms. */
const STOP_WHEN_INTERVAL = 250;

/**
 * Ends the steps of a job by `end`, at its `timeout`, or when its `stopWhen` returns true. `ask` runs code
 * beside the steps. Call the result to lift both limits.
 */
export function limitJob(
  { name, typeArgs: { timeout, stopWhen } }: PlannedJob,
  end: (failure: FailureData) => void,
  ask: (code: CodeBlock) => Promise<unknown>,
  clock: Clock,
): () => void {
  const expire = (): void => {
    const message = `"${name}" took longer than its timeout of ${durationText(timeout ?? 0)}`;
    end({ name: "JobError", message, code: "TIMEOUT" });
  };
  let isLifted = false;
  let cancelWatch = (): void => {};
  const watch = (code: CodeBlock): void => {
    cancelWatch = clock.after(STOP_WHEN_INTERVAL, () => void look(code), true);
  };
  const look = async (code: CodeBlock): Promise<void> => {
    let failure: FailureData | undefined;
    try {
      if ((await ask(code)) === true)
        failure = { name: "JobError", message: `the stopWhen of "${name}" ended it`, code: "CANCELLED" };
    } catch (error) {
      failure = { name: "JobError", message: `the stopWhen of "${name}" failed: ${failureText(toFailure(error))}` };
    }
    if (isLifted) return;
    if (failure === undefined) watch(code);
    else end(failure);
  };
  const cancelTimeout = timeout === undefined ? () => {} : clock.after(timeout, expire, true);
  if (stopWhen !== undefined) watch(stopWhen);
  return () => {
    isLifted = true;
    cancelTimeout();
    cancelWatch();
  };
}

/** What ended a step: a limit at this nesting level (0: outside the job), or a run that must stop. */
export type EndedBy = number | Run;

/** Why a job must not continue: it was asked to stop, or its current step was ended. */
export class Interruption {
  readonly #stopping = new AbortController();
  #ending = new AbortController();
  readonly #ends: { readonly failure: FailureData; readonly by: EndedBy }[] = [];
  /** How many of the ends have been handled. */
  #cleared = 0;
  #reason: string | undefined;

  /** Fires on a stop, and when the current step is ended. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#stopping.signal, this.#ending.signal]);
  }

  get stop(): FailureData | undefined {
    return this.#stopping.signal.aborted ? (this.#stopping.signal.reason as FailureData) : undefined;
  }

  /** Why the current step was ended, as an error; `undefined` if it was not. */
  get error(): JobError | undefined {
    const failure = this.#ends[this.#cleared]?.failure;
    return failure === undefined ? undefined : new JobError(failure.message, { failure });
  }

  /** Throws if the step was ended, or after a stop, when only the steps of `catch` may run. */
  throwIfStopped(mayCleanUp: boolean): void {
    const { stop, error } = this;
    if (error !== undefined) throw error;
    if (stop !== undefined && !mayCleanUp) throw new JobError(stop.message, { failure: stop });
  }

  get count(): number {
    return this.#ends.length;
  }

  /** The ends after the first `count`, including those that have been handled. */
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

  /** Ends the wait of the current step. The first reason counts. */
  end(failure: FailureData, by: EndedBy): void {
    this.#ends.push({ failure, by });
    this.#ending.abort(failure);
  }

  /** Lets the next steps, such as those of `catch`, run: the end of the previous step has been handled. */
  clear(): void {
    this.#cleared = this.#ends.length;
    this.#ending = new AbortController();
  }
}

export function stopFailure(reason: string): FailureData {
  return { name: "StopError", message: `the job was stopped: ${reason}`, code: "CANCELLED" };
}
