import type { Tick } from "@ojm/core";
import type { Args, CodeBlock } from "../load/jobfile.js";
import { applyChecks, type Check } from "../plan/checks.js";
import type { PlannedJob, ScriptStep, Step } from "../plan/plan.js";
import type { Position } from "../problem.js";
import { ScriptProcess } from "../script/process/run.js";
import { ShellCommand, type ShellOptions, type ShellResult } from "../script/process/shell.js";
import type { FailureData } from "../script/protocol.js";
import type { ScriptEnd, ScriptThread } from "../script/thread.js";
import { builtins } from "./builtins.js";
import { ScriptCalls } from "./calls.js";
import { EachItems } from "./each.js";
import type { Engine } from "./engine.js";
import { JobError, SkippedTick, scriptError, toJobError } from "./error.js";
import { runOtherFile } from "./file-job.js";
import { HeldLocks } from "./held-locks.js";
import { Limits } from "./limits.js";
import type { Stoppable } from "./running.js";
import { OpenRuns } from "./runs.js";

/** What an execution comes from. */
export interface ExecutionOrigin {
  /** What asked for it, for the records of its runs. */
  readonly trigger: string;
  /** The job whose script calls it. */
  readonly parent: JobExecution | undefined;
  /** The tick of its schedule that it runs for. */
  readonly tick?: Tick | undefined;
}

/** One execution of a job: its steps, one after the other, on the same arguments. */
export class JobExecution implements Stoppable {
  readonly name: string;
  readonly trigger: string;
  readonly runs: OpenRuns;
  readonly locks: HeldLocks;
  readonly #tick: Tick | undefined;
  readonly #engine: Engine;
  readonly #job: PlannedJob;
  /** What the script at work hands out. */
  #items: EachItems;
  readonly #parent: JobExecution | undefined;
  readonly #children = new Set<JobExecution>();
  readonly #stopping = new AbortController();
  /** Fires with {@link #interruption}: what a step waits for beside its script ends. */
  #interrupted = new AbortController();
  readonly #args: Args;

  /** The other job file that a job of type `jobs` runs. */
  #inner: Stoppable | undefined;
  #thread: ScriptThread | undefined;
  #process: Pick<ScriptProcess, "stop" | "end"> | undefined;
  /** Why the step that runs now must not go on. */
  #interruption: FailureData | undefined;
  #error: JobError | undefined;

  constructor(engine: Engine, job: PlannedJob, args: Args, { trigger, parent, tick }: ExecutionOrigin) {
    this.name = job.name;
    this.trigger = trigger;
    this.#tick = tick;
    this.runs = new OpenRuns((reason) => this.#interrupt(reason), parent?.runs);
    this.#engine = engine;
    this.#job = job;
    this.#items = new EachItems(job);
    this.locks = new HeldLocks((reason) => this.#interrupt(reason), parent?.locks);
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
      await this.locks.release();
      return args;
    } catch (error) {
      const failure = toJobError(error, this.#job.at);
      this.#show(failure);
      const cleanUp = [() => this.runs.closeAll(failure), () => this.locks.release()];
      for (const step of cleanUp) {
        await step().catch((second: unknown) => this.#show(toJobError(second, this.#job.at)));
      }
      throw failure;
    } finally {
      this.#leave(this.#parent);
      if (this.#thread !== undefined) this.#engine.pool.release(this.#thread);
    }
  }

  /** Runs no more than this code, with the arguments of the job, and resolves to what it returns. */
  async evaluate(block: CodeBlock): Promise<unknown> {
    this.#join(this.#parent);
    try {
      return (await this.#runScript({ code: block }, this.#args)).result;
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
    this.#inner?.stop(reason);
  }

  /** Ends the job, whatever it is doing. */
  kill(reason: string): void {
    this.stop(reason);
    this.#end(stopFailure(reason));
  }

  /** An item for the jobs of `each`, out of the script. */
  addItem(item: unknown, only?: string): void {
    this.#items.add(item, only);
  }

  /** The steps of a job, also of one that is itself a step of this one; `catch` if one fails. */
  async #runSteps(job: PlannedJob, args: Args): Promise<Args> {
    let current = args;
    // Taken anew for each question: what the script beside it has in its thread is out of reach.
    const ask = (code: CodeBlock): Promise<unknown> =>
      new JobExecution(this.#engine, job, args, { trigger: this.trigger, parent: this }).evaluate(code);
    const limits = new Limits(job, (failure) => this.#end(failure), ask, this.#engine.shared.clock);
    try {
      current = checked(job.checks.in, args, "argument", job.at);
      await this.locks.take(job.typeArgs, this.#engine.shared.locks, this.#waitSignal());
      if (job.builtin !== undefined) await this.#runBuiltin(job.builtin, current);
      if (job.type === "jobs") await this.#runFile(job, current);
      for (const step of job.steps) current = await this.#step(job, step, current);
      return checked(job.checks.out, current, "result", job.at);
    } catch (error) {
      limits.lift();
      if (error instanceof SkippedTick) throw error;
      const failure = toJobError(error, job.at);
      failure.args ??= current;
      await this.#recover(job, failure.args, failure);
      throw failure;
    } finally {
      limits.lift();
    }
  }

  /** Runs the other job file of a job of type `jobs`. Its jobs have our slot meanwhile: we do nothing but wait. */
  async #runFile(job: PlannedJob, args: Args): Promise<void> {
    const { slots } = this.#engine;
    slots.free();
    try {
      await runOtherFile(this.#engine, job, args, (running) => {
        this.#inner = running;
      });
    } catch (error) {
      throw this.#interruption === undefined ? error : interruptedBy(this.#interruption);
    } finally {
      this.#inner = undefined;
      await new Promise<void>((resolve) => void slots.take(0, resolve));
    }
  }

  #waitSignal(): AbortSignal {
    return AbortSignal.any([this.#stopping.signal, this.#interrupted.signal]);
  }

  async #recover(job: PlannedJob, args: Args, failure: JobError): Promise<void> {
    this.#show(failure);
    const outer = this.#error;
    this.#error = failure;
    // What ended the step has been dealt with: the steps of `catch` start afresh.
    this.#interruption = undefined;
    this.#interrupted = new AbortController();
    // Of the job as a whole: a job that is a step of it would be told of twice.
    const onAnyError = job === this.#job ? this.#engine.onAnyError : [];
    for (const step of [...job.onError, ...onAnyError]) {
      // Each is tried: an alert that cannot be sent must not keep the lock from being released.
      await this.#step(job, step, args).catch((second: unknown) => this.#show(toJobError(second, job.at)));
    }
    this.#error = outer;
  }

  async #step(owner: PlannedJob, step: Step, args: Args): Promise<Args> {
    if (this.#interruption !== undefined) throw interruptedBy(this.#interruption);
    if ("code" in step) {
      this.#items = new EachItems(owner);
      const end = await this.#runScript(step, args);
      await this.#items.run(this.#engine, end.result, { trigger: this.trigger, parent: this });
      return end.args;
    }
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
    const { managers } = this.#engine.shared;
    const origin = { trigger: this.trigger, tick: this.#tick };
    await builtin({ args, managers, runs, ...origin, signal: this.#waitSignal(), error: this.#error });
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
    const script = new ScriptProcess({ block: code, lang, folder }, args, this.#engine.grace);
    this.#process = script;
    try {
      return await script.run(new ScriptCalls(this.#engine, this));
    } finally {
      this.#process = undefined;
    }
  }

  /** Runs a shell command for a script that waits for it. */
  async shell(command: string, options: ShellOptions): Promise<ShellResult> {
    const shell = new ShellCommand(command, options, this.#engine.grace);
    this.#process = shell;
    try {
      return await shell.run(new ScriptCalls(this.#engine, this));
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
    this.#interrupted.abort(failure);
    for (const child of this.#children) child.#end(failure);
    this.#process?.end(failure);
    this.#inner?.kill(failure.message);
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

function interruptedBy(failure: FailureData): JobError {
  return new JobError(failure.message, { failure });
}

function stopFailure(reason: string): FailureData {
  return { name: "StopError", message: `the job was stopped: ${reason}`, code: "CANCELLED" };
}
