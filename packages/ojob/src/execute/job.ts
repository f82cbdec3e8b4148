import type { Args } from "../load/jobfile.js";
import { applyChecks, type Check } from "../plan/checks.js";
import type { PlannedJob, ScriptStep, Step } from "../plan/plan.js";
import type { Position } from "../problem.js";
import { ScriptProcess } from "../script/process/run.js";
import type { FailureData } from "../script/protocol.js";
import type { ScriptEnd, ScriptThread } from "../script/thread.js";
import { builtins } from "./builtins.js";
import { ScriptCalls } from "./calls.js";
import type { Engine } from "./engine.js";
import { JobError, scriptError, toJobError } from "./error.js";
import { OpenRuns } from "./runs.js";

/** One execution of a job: its steps, one after the other, on the same arguments. */
export class JobExecution {
  readonly name: string;
  readonly runs: OpenRuns;
  readonly #engine: Engine;
  readonly #job: PlannedJob;
  readonly #parent: JobExecution | undefined;
  readonly #children = new Set<JobExecution>();
  readonly #stopping = new AbortController();
  readonly #args: Args;
  #thread: ScriptThread | undefined;
  #process: ScriptProcess | undefined;
  /** Why the step that runs now must not go on. */
  #interruption: FailureData | undefined;
  #error: JobError | undefined;

  constructor(engine: Engine, job: PlannedJob, args: Args, parent?: JobExecution) {
    this.name = job.name;
    this.runs = new OpenRuns((reason) => this.#interrupt(reason), parent?.runs);
    this.#engine = engine;
    this.#job = job;
    this.#args = args;
    this.#parent = parent;
  }

  /**
   * Runs the job to its end and resolves with its arguments. Whatever happens, its runs are closed and its locks released.
   *
   * @throws JobError when a step failed, after the steps of `catch`.
   */
  async run(): Promise<Args> {
    this.#join(this.#parent);
    try {
      const args = await this.#runSteps(this.#job, this.#args);
      await this.runs.closeAll();
      return args;
    } catch (error) {
      const failure = toJobError(error, this.#job.at);
      this.#show(failure);
      await this.runs.closeAll(failure).catch((second: unknown) => this.#show(toJobError(second, this.#job.at)));
      throw failure;
    } finally {
      this.#leave(this.#parent);
      if (this.#thread !== undefined) this.#engine.pool.release(this.#thread);
    }
  }

  /** A job that a script calls ends with the job that called it. */
  #join(parent: JobExecution | undefined): void {
    if (parent !== undefined) parent.#children.add(this);
  }

  #leave(parent: JobExecution | undefined): void {
    if (parent !== undefined) parent.#children.delete(this);
  }

  /** Asks the job to stop: what it waits for throws, and no further script of it is started. */
  stop(reason: string): void {
    this.#stopping.abort(stopFailure(reason));
    this.#thread?.stop();
    this.#process?.stop();
  }

  /** Ends the job, whatever it is doing. */
  kill(reason: string): void {
    this.stop(reason);
    this.#end(stopFailure(reason));
  }

  /** The steps of a job, also of one that is itself a step of this one; `catch` if one fails. */
  async #runSteps(job: PlannedJob, args: Args): Promise<Args> {
    let current = args;
    try {
      current = checked(job.checks.in, args, "argument", job.at);
      if (job.builtin !== undefined) await this.#runBuiltin(job.builtin, current);
      for (const step of job.steps) current = await this.#step(step, current);
      return checked(job.checks.out, current, "result", job.at);
    } catch (error) {
      const failure = toJobError(error, job.at);
      failure.args ??= current;
      await this.#recover(job, failure.args, failure);
      throw failure;
    }
  }

  async #recover(job: PlannedJob, args: Args, failure: JobError): Promise<void> {
    this.#show(failure);
    const outer = this.#error;
    this.#error = failure;
    // What ended the step has been dealt with: the steps of `catch` start afresh.
    this.#interruption = undefined;
    for (const step of job.onError) {
      // Each is tried: an alert that cannot be sent must not keep the lock from being released.
      await this.#step(step, args).catch((second: unknown) => this.#show(toJobError(second, job.at)));
    }
    this.#error = outer;
  }

  async #step(step: Step, args: Args): Promise<Args> {
    if (this.#interruption !== undefined)
      throw new JobError(this.#interruption.message, { failure: this.#interruption });
    if ("code" in step) return (await this.#runScript(step, args)).args;
    const job = this.#engine.job(step.job);
    if (job.builtin !== undefined) {
      await this.#runBuiltin(job.builtin, args).catch((error: unknown) => {
        throw toJobError(error, step.at);
      });
      return args;
    }
    return this.#runInner(job, args);
  }

  /** A job that is a step: its own arguments are for it alone, what it does to the others is seen by the steps after it. */
  async #runInner(job: PlannedJob, args: Args): Promise<Args> {
    let current = args;
    for (const own of job.args.length > 0 ? job.args : [{}]) {
      try {
        current = withoutOwn(await this.#runSteps(job, this.#engine.args(job, own, current)), own, current);
      } catch (error) {
        if (error instanceof JobError && error.args !== undefined) error.args = withoutOwn(error.args, own, current);
        throw error;
      }
    }
    return current;
  }

  async #runBuiltin(name: string, args: Args): Promise<void> {
    const builtin = builtins[name];
    if (builtin === undefined) throw new JobError(`"${name}" is not built in`);
    // A built-in job that is called by a script works on the runs of the job that called it.
    const runs = this.#job.builtin !== undefined && this.#parent !== undefined ? this.#parent.runs : this.runs;
    const { managers } = this.#engine;
    await builtin({ args, managers, runs, signal: this.#stopping.signal, error: this.#error });
  }

  async #runScript(step: ScriptStep, args: Args): Promise<ScriptEnd> {
    const stopped = this.#stopping.signal;
    const mayRun = !stopped.aborted || (this.#error !== undefined && !this.#engine.killed);
    if (!mayRun) throw new JobError(stopped.reason.message, { failure: stopped.reason as FailureData });
    const end = await (step.lang === undefined ? this.#runInThread(step, args) : this.#runProcess(step, args));
    if (end.failure === undefined) return end;
    throw Object.assign(scriptError(end.failure, step.code), { args: end.args });
  }

  #runInThread({ code, module = false }: ScriptStep, args: Args): Promise<ScriptEnd> {
    const job = { name: this.name };
    const message = { code: code.code, file: code.source.path, line: code.line, module, args, job };
    const exception = this.#error?.failure;
    const calls = new ScriptCalls(this.#engine, this);
    return this.#needThread().run({ ...message, ...(exception && { exception }) }, calls);
  }

  async #runProcess({ code, lang = "", folder }: ScriptStep, args: Args): Promise<ScriptEnd> {
    this.#process = new ScriptProcess({ block: code, lang, folder }, args, this.#engine.grace);
    try {
      return await this.#process.run(new ScriptCalls(this.#engine, this));
    } finally {
      this.#process = undefined;
    }
  }

  /** One thread for all scripts of the job: what one step leaves in it, the next one finds. */
  #needThread(): ScriptThread {
    if (this.#thread?.alive) return this.#thread;
    if (this.#thread !== undefined) this.#engine.pool.release(this.#thread);
    this.#thread = this.#engine.pool.acquire();
    return this.#thread;
  }

  #interrupt(reason: Error): void {
    const { name, message, code } = reason as Error & { code?: string };
    this.#end({ name, message, ...(code !== undefined && { code }) });
  }

  #end(failure: FailureData): void {
    this.#interruption ??= failure;
    for (const child of this.#children) child.#end(failure);
    this.#process?.end(failure);
    void this.#thread?.end(failure);
  }

  #show(error: JobError): void {
    if (error.shown) return;
    error.shown = true;
    this.#engine.log.failure(this.name, error.describe());
  }
}

function checked(checks: readonly Check[], args: Args, what: string, at: Position): Args {
  try {
    return applyChecks(checks, args, what);
  } catch (error) {
    throw new JobError((error as Error).message, { at });
  }
}

/** What a step hands on: its own arguments are taken away again, and those that they hid come back. */
function withoutOwn(result: Args, own: Args, before: Args): Args {
  const kept = Object.entries(result).filter(([name]) => !Object.hasOwn(own, name));
  const hidden = Object.entries(before).filter(([name]) => Object.hasOwn(own, name));
  return Object.fromEntries([...kept, ...hidden]);
}

function stopFailure(reason: string): FailureData {
  return { name: "StopError", message: `the job was stopped: ${reason}`, code: "CANCELLED" };
}
