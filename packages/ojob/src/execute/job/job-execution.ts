import type { Args, CodeBlock, Shortcut, Taking } from "../../load/job-file.js";
import { allAround, JobOutput, type RunsAround } from "../../output/job-output.js";
import { runArgs, stayingArgs } from "../../plan/args.js";
import { takingOf } from "../../plan/manager/starts.js";
import type { JobStep, PlannedJob, ScriptStep, Step } from "../../plan/planned.js";
import type { FailureData } from "../../script/protocol.js";
import type { ScriptEnd } from "../../script/thread.js";
import { ShortcutRun, templatesOf } from "../../shortcuts/definition.js";
import { shortcutNamed } from "../../shortcuts/table.js";
import { isMap } from "../../text/template.js";
import { mapConcurrent } from "../dispatch/dispatch.js";
import type { Engine, Execution } from "../engine.js";
import { contextOf, type Endable, type ExecutionOrigin, type ScriptContext, type Stoppable } from "../execution.js";
import { JobError, SkippedJob, scriptError, toJobError } from "../runtime/job-error.js";
import { HeldLocks } from "../runtime/locks.js";
import { OpenRuns } from "../runtime/open-runs.js";
import { runBuiltin } from "./builtins.js";
import { runOtherFile } from "./file-job.js";
import { JobScripts } from "./scripts.js";
import { argsOfCode, givenBy, stepChecks, withoutOwn } from "./step-args.js";
import { type EndedBy, Interruption, limitJob, StepRunner, stopFailure } from "./step-limits.js";

export class JobExecution implements Execution, Stoppable, Endable {
  readonly engine: Engine;
  readonly job: PlannedJob;
  readonly trigger: string;
  readonly runs: OpenRuns;
  readonly output: JobOutput;
  readonly locks: HeldLocks;
  place: ScriptContext;
  /** What the runs take that the current step begins. */
  taking: Taking = {};
  readonly #around: RunsAround;
  readonly #args: Args;
  readonly #origin: ExecutionOrigin;
  readonly #children = new Set<Endable>();
  readonly #interruption = new Interruption();
  readonly #scripts: JobScripts;
  readonly #stepRunner: StepRunner;
  #items: EachItems;
  #inner: Stoppable | undefined;
  #error: JobError | undefined;

  constructor(engine: Engine, job: PlannedJob, args: Args, origin: ExecutionOrigin) {
    const { trigger, parent, label, handed = [] } = origin;
    this.engine = engine;
    this.job = job;
    this.trigger = trigger;
    this.#origin = origin;
    const mask = (text: string): string => engine.log.mask(text);
    this.runs = new OpenRuns((reason, run) => this.#interrupt(reason, run), mask, parent?.runs);
    this.#around = allAround(this.runs, engine.around);
    this.output = new JobOutput(engine.log, job.name, this.#around, label);
    this.locks = new HeldLocks((reason) => this.#interrupt(reason), parent?.locks);
    for (const run of handed) this.runs.hand(run);
    this.#items = new EachItems(job);
    this.#args = args;
    this.#scripts = new JobScripts(this);
    this.place = contextOf(job);
    this.#stepRunner = new StepRunner(this, this.#interruption);
  }

  /** Runs the job to its end. Whatever happens, its runs are closed and its locks released. */
  async run(): Promise<Args> {
    const { job, engine, output } = this;
    const { parent, among, label } = this.#origin;
    if (engine.refusal !== undefined) throw new JobError(`"${job.name}" was not started: ${engine.refusal}`);
    const isShown = job.builtin === undefined && job.typeArgs.noLog !== true;
    const start = performance.now();
    let end: "well" | "badly" | "skipped" = "badly";
    const leave = [engine.running.add(this), among?.add(this), parent?.adopt(this)];
    if (isShown) {
      engine.log.started(job.name, label);
      output.begin();
      engine.log.args(job.name, this.#args, job.secrets, label);
    }
    try {
      const args = await this.#runSteps(job, this.#args, this.place);
      await this.runs.closeAll();
      await this.locks.release();
      end = "well";
      return withoutOwn(args, job.secretArgs, {});
    } catch (error) {
      const failure = toJobError(error, job.at);
      if (failure instanceof SkippedJob) end = "skipped";
      output.show(failure);
      for (const cleanUp of [() => this.runs.closeAll(failure), () => this.locks.release()]) {
        await cleanUp().catch((second: unknown) => output.show(toJobError(second, job.at)));
      }
      throw failure;
    } finally {
      for (const one of leave) one?.();
      output.end();
      this.#scripts.release();
      if (isShown && end !== "skipped") engine.log.ended(job.name, performance.now() - start, end === "well", label);
    }
  }

  /** Runs only this code, with the arguments of the job, and resolves to what the code returns. */
  async evaluate(block: CodeBlock, context: ScriptContext = this.place): Promise<unknown> {
    const leave = this.#origin.parent?.adopt(this);
    this.place = context;
    try {
      return (await this.#runScript({ code: block }, this.#args)).result;
    } finally {
      leave?.();
      this.#scripts.release();
    }
  }

  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  adopt(child: Endable): () => void {
    this.#children.add(child);
    return () => this.#children.delete(child);
  }

  /** Asks the job to stop: a waiting call of its script throws, and no further script starts. */
  stop(reason: string): void {
    this.#interruption.requestStop(reason);
    this.#scripts.stop();
    this.#inner?.stop(reason);
  }

  kill(reason: string): void {
    this.stop(reason);
    this.end(stopFailure(reason));
  }

  /** Ends the current step, and with it the jobs that its script called. */
  end(failure: FailureData, by: EndedBy = 0): void {
    this.#interruption.end(failure, by);
    for (const child of this.#children) child.end(failure);
    this.#inner?.kill(failure.message);
    this.#scripts.end(failure);
  }

  addItem(item: unknown, only?: string): void {
    this.#items.add(item, only);
  }

  /** Runs all steps of a job, which may be a step of this one, and those of `catch` if one fails. */
  async #runSteps(job: PlannedJob, args: Args, context: ScriptContext): Promise<Args> {
    const { place, taking } = this;
    this.place = context;
    this.taking = takingOf(job.typeArgs, taking);
    const level = this.#stepRunner.enter();
    let current = args;
    // Each evaluation gets its own execution, because a running script occupies the thread of this one.
    const ask = (code: CodeBlock): Promise<unknown> =>
      new JobExecution(this.engine, job, args, { trigger: this.trigger, parent: this }).evaluate(code, context);
    const lift = limitJob(job, (failure) => this.end(failure, level), ask, this.engine.runtime.clock);
    const check = stepChecks(job, context.environment.all, this.engine.log);
    try {
      current = check("first", args);
      await this.locks.take(job.typeArgs, this.engine.runtime.locks, this.#interruption.signal);
      if (job.builtin !== undefined) current = await this.#runBuiltin(job.builtin, current);
      if (job.type === "jobs") await this.runFile(job, current);
      for (const [number, step] of job.steps.entries()) {
        const before = check(number, current);
        const isLimited = step.timeout !== undefined || step.continueOnError === true;
        const run = async (): Promise<Args> => (await this.#step(job, step, before)).args;
        current = await (isLimited ? this.#stepRunner.run(step, job, before, run) : run());
      }
      return check(job.steps.length, current);
    } catch (error) {
      lift();
      if (error instanceof SkippedJob) throw error;
      const failure = toJobError(error, job.at);
      failure.args ??= current;
      const result = await this.#recover(job, failure.args, failure);
      if (result === undefined) throw failure;
      return result;
    } finally {
      lift();
      this.#stepRunner.leave();
      this.place = place;
      this.taking = taking;
    }
  }

  async runFile(job: Pick<PlannedJob, "at" | "typeArgs">, args: Args): Promise<void> {
    try {
      const onStart = (running: Stoppable): Stoppable => (this.#inner = running);
      await runOtherFile(this.engine, job, args, this.place.environment, this.#around, onStart);
    } catch (error) {
      throw this.#interruption.error ?? error;
    } finally {
      this.#inner = undefined;
    }
  }

  /** Runs the steps of `catch`. As in OpenAF, the failure is handled if their code returns true. */
  async #recover(job: PlannedJob, args: Args, failure: JobError): Promise<Args | undefined> {
    if (!this.#stepRunner.tolerant) this.output.show(failure);
    const isEnded = this.#interruption.stop !== undefined || this.#interruption.error !== undefined;
    const outer = this.#error;
    this.#error = failure;
    this.#interruption.clear();
    let result = await this.#handle(job, job.onError, args);
    // `ojob.catch` runs once for the job as a whole, not once more for each job that is a step of it.
    if (job === this.job && (isEnded || result === undefined)) {
      const dealt = await this.#handle(job, this.engine.plan.onAnyError, args);
      if (job.onError.length === 0) result = dealt;
    }
    this.#error = outer;
    if (isEnded || result === undefined) return undefined;
    this.output.line("INFO", `"${job.name}" failed, its "catch" returned true, and so the job completes`);
    return result;
  }

  /** Runs steps of `catch`. Resolves with the arguments of the step that returned true, if any. */
  async #handle(job: PlannedJob, steps: readonly Step[], args: Args): Promise<Args | undefined> {
    let result: Args | undefined;
    for (const step of steps) {
      try {
        const end = await this.#step(job, step, args);
        if (end.result) result ??= end.args;
      } catch (second) {
        // An alert that cannot be sent must not keep the next step from releasing the lock.
        this.output.show(toJobError(second, job.at));
      }
    }
    return result;
  }

  /** Resolves to the arguments for the next step, and to what a script returned. */
  async #step(owner: PlannedJob, step: Step, args: Args): Promise<ScriptEnd> {
    if (this.#interruption.error !== undefined) throw this.#interruption.error;
    if ("shortcut" in step) return { args: await this.runShortcut(step.shortcut, args) };
    if ("code" in step) {
      this.#items = new EachItems(owner);
      const end = await this.#runScript(step, args);
      await this.#items.run(this.engine, end.result, { trigger: this.trigger, parent: this });
      return end;
    }
    const job = this.engine.job(step.job);
    if (job.builtin === undefined) return { args: await this.#runInner(job, step, args) };
    try {
      return { args: await this.#runBuiltin(job.builtin, args) };
    } catch (error) {
      throw toJobError(error, step.at);
    }
  }

  /**
   * Runs a job that is a step. Only this job sees the arguments that the step gives it. Later steps see the
   * job's own arguments, as in OpenAF, and its changes to all other arguments.
   */
  async #runInner(job: PlannedJob, step: JobStep, args: Args): Promise<Args> {
    let current = args;
    const context = contextOf(job, this.place);
    const owns = await this.#ownArgs(job, args, context);
    for (const own of owns) {
      const given = await givenBy(step, current, this.engine, this.place.environment.all);
      const stays = stayingArgs({ args: owns }, current);
      const leaves = Object.entries({ ...given, ...own }).filter(([name]) => !stays.has(name));
      const alone = { ...Object.fromEntries(leaves), ...job.secretArgs };
      try {
        // The value of code is data: templates in it are not filled.
        const isData = job.argsCode !== undefined;
        const outside = { ...current, ...given, ...(isData && own) };
        const merged = await this.engine.args(job, isData ? {} : own, outside, context.environment);
        current = withoutOwn(await this.#runSteps(job, merged, context), alone, current);
      } catch (error) {
        if (error instanceof JobError && error.args !== undefined) error.args = withoutOwn(error.args, alone, current);
        throw error;
      }
    }
    return current;
  }

  async #ownArgs(job: PlannedJob, current: Args, context: ScriptContext): Promise<readonly Args[]> {
    const { name, argsCode } = job;
    if (argsCode === undefined) return runArgs(job);
    return argsOfCode(argsCode, name, async (code) => (await this.#runScript({ code }, current, context)).result);
  }

  #runBuiltin(name: string, args: Args): Promise<Args> {
    const { parent, tick } = this.#origin;
    // A built-in job that a script calls works on the runs of the calling job.
    const { runs, taking } = this.job.builtin !== undefined && parent !== undefined ? parent : this;
    const { stayOpen } = this.#stepRunner;
    return runBuiltin(name, { args, execution: this, runs, taking, tick, stayOpen, error: this.#error });
  }

  async #runScript(step: ScriptStep, args: Args, context: ScriptContext = this.place): Promise<ScriptEnd> {
    this.throwIfStopped();
    let end: ScriptEnd;
    try {
      end = await this.#scripts.start(step, args, context, this.#error?.failure);
    } finally {
      await this.#scripts.settle();
    }
    if (end.skip !== undefined) throw new SkippedJob(end.skip);
    if (end.failure === undefined) return end;
    throw Object.assign(scriptError(this.#interruption.explained(end.failure), step.code), { args: end.args });
  }

  /** @throws JobError after a stop, except in the steps of `catch` during the grace period */
  throwIfStopped(): void {
    this.#interruption.throwIfStopped(this.#error !== undefined && !this.engine.killed);
  }

  async runCode(code: CodeBlock, args: Args): Promise<unknown> {
    return (await this.#runScript({ code }, args)).result;
  }

  /** @throws JobError at the place of the shortcut */
  async runShortcut(shortcut: Shortcut, args: Args): Promise<Args> {
    const { name, at } = shortcut;
    try {
      const definition = shortcutNamed(name);
      if (definition === undefined) throw new Error(`there is no shortcut (${name})`);
      this.throwIfStopped();
      // Only the shortcut sees the arguments that stand beside it.
      const own = templatesOf(args, this).fill(shortcut.args, "args") as Args;
      const result = await definition.run(new ShortcutRun(shortcut, { ...args, ...own }, this));
      return withoutOwn(result, own, args);
    } catch (thrown) {
      const error = toJobError(thrown, at);
      // An error without a place happened at the shortcut. An error that a job has shown stays as it is.
      if (error.at !== undefined || error.shown || error instanceof SkippedJob) throw error;
      const placed = new JobError(error.message, { at, failure: error.failure, cause: error });
      throw Object.assign(placed, { args: error.args });
    }
  }

  #interrupt(reason: Error, by: EndedBy = 0): void {
    const { name, message, code } = reason as Error & { code?: string };
    this.end({ name, message, ...(code !== undefined && { code }) }, by);
  }
}

/** The items for the jobs of `each`: those passed to `each()`, then those of the returned list. */
class EachItems {
  readonly #owner: PlannedJob;
  /** Each with the name of the only job that gets it. Default: all of them. */
  readonly #items: { readonly item: unknown; readonly only?: string | undefined }[] = [];

  constructor(owner: PlannedJob) {
    this.#owner = owner;
  }

  /** @throws JobError if `each` does not name that job */
  add(item: unknown, only?: string): void {
    const { name, each } = this.#owner;
    if (each.length === 0) throw new JobError(`each(): the job "${name}" has no "each"`);
    if (only !== undefined && !each.some(({ job }) => job === only)) {
      throw new JobError(`each(): "${only}" is none of the jobs in "each" of "${name}"`);
    }
    this.#items.push({ item, only });
  }

  /** Runs the jobs for every item. Free slots work on items at the same time. */
  async run(engine: Engine, returned: unknown, origin: ExecutionOrigin): Promise<void> {
    const jobs = this.#owner.each.map(({ job }) => engine.job(job));
    if (jobs.length === 0) return;
    for (const item of Array.isArray(returned) ? returned : []) this.#items.push({ item });
    await mapConcurrent(engine.dispatch, this.#items, async ({ item, only }) => {
      const given = isMap(item) ? item : { item };
      for (const job of jobs.filter(({ name }) => only === undefined || name === only)) {
        for (const run of await engine.runsOf(job, given, origin)) {
          try {
            await engine.execute(job, await engine.args(job, run.own, run.given), origin);
          } catch (error) {
            // This item was skipped. The other items still run.
            if (!(error instanceof SkippedJob)) throw error;
            engine.jobSkipped(job.name, error.message);
          }
        }
      }
    });
  }
}
