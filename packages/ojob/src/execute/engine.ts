import { nearest } from "@ojm/core/backend";
import type { Args } from "../load/jobfile.js";
import type { Log } from "../output/log.js";
import { fillArgs, mergeArgs } from "../plan/args.js";
import type { Plan, PlannedJob } from "../plan/plan.js";
import { SharedGlobals } from "../script/globals.js";
import type { ThreadPool } from "../script/pool.js";
import type { PrepareType } from "./backends.js";
import { ScriptChannels } from "./channels.js";
import { JobError } from "./error.js";
import { JobExecution } from "./job.js";
import { Managers } from "./managers.js";

/** What an {@link Engine} works with. */
export interface EngineParts {
  readonly plan: Plan;
  readonly commandLine: Args;
  readonly log: Log;
  readonly pool: ThreadPool;
  readonly prepare: PrepareType;
  /** How long a process has to end, in ms, once it is told to. */
  readonly grace: number;
}

/** Runs the jobs of one job file, and holds what they share. */
export class Engine {
  readonly log: Log;
  readonly pool: ThreadPool;
  readonly grace: number;
  readonly managers: Managers;
  readonly channels: ScriptChannels;
  readonly globals: SharedGlobals = new SharedGlobals();
  /** What scripts keep by `$set` and `$get`. */
  readonly values: Map<string, unknown> = new Map();
  readonly #plan: Plan;
  readonly #commandLine: Args;
  readonly #running = new Set<JobExecution>();
  readonly #warned = new Set<string>();
  #stopped: string | undefined;
  #killed = false;

  constructor({ plan, commandLine, log, pool, prepare, grace }: EngineParts) {
    this.grace = grace;
    this.log = log;
    this.pool = pool;
    this.managers = new Managers(prepare);
    this.channels = new ScriptChannels(this.managers, prepare);
    this.#plan = plan;
    this.#commandLine = commandLine;
  }

  /** Whether the time to stop in good order is over. */
  get killed(): boolean {
    return this.#killed;
  }

  /** @throws JobError if there is no such job. */
  job(name: string): PlannedJob {
    const job = this.#plan.jobs.get(name);
    if (job !== undefined) return job;
    const near = nearest(name, this.#plan.jobs.keys());
    throw new JobError(`there is no job "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`}`);
  }

  /** The arguments of a job: its own before those that it is given. */
  args(job: PlannedJob, own: Args, given: Args): Args {
    const sources = { own, given, commandLine: this.#commandLine };
    return mergeArgs(sources, (argument, path) => this.#warnMissing(job.name, argument, path));
  }

  /**
   * Runs a job to its end, once for each of its args.
   *
   * @throws JobError if it failed
   */
  async runJob(name: string, given: Args, parent?: JobExecution): Promise<Args> {
    const job = this.job(name);
    let result: Args = given;
    for (const own of job.args.length > 0 ? job.args : [{}]) {
      if (this.#stopped !== undefined) throw new JobError(`"${name}" was not started: ${this.#stopped}`);
      result = await this.#execute(job, this.args(job, own, given), parent);
    }
    return result;
  }

  /** Runs the todo, one job after the other; one that fails does not keep the next from running. True if all went well. */
  async runTodo(): Promise<boolean> {
    let well = true;
    for (const entry of this.#plan.todo) {
      for (const args of entry.args.length > 0 ? entry.args : [{}]) {
        if (this.#stopped !== undefined) return false;
        const given = fillArgs(args, this.#commandLine, (argument, path) =>
          this.#warnMissing(entry.job, argument, path),
        );
        well = (await this.#succeeds(entry.job, given)) && well;
      }
    }
    return well;
  }

  /** Asks all jobs to stop, and starts no more. */
  stop(reason: string): void {
    this.#stopped ??= reason;
    for (const job of this.#running) job.stop(reason);
  }

  /** Ends all jobs, whatever they are doing. Their runs are closed and their locks released all the same. */
  kill(reason: string): void {
    this.#stopped ??= reason;
    this.#killed = true;
    for (const job of this.#running) job.kill(reason);
  }

  /** Lets go of channels. */
  async close(): Promise<void> {
    await Promise.all([this.channels.close(), this.managers.close()]);
  }

  async #succeeds(name: string, given: Args): Promise<boolean> {
    try {
      await this.runJob(name, given);
      return true;
    } catch (error) {
      // A job has said itself why it failed. What is no error of a job is a fault of ours, and must not be hidden.
      if (!(error instanceof JobError)) throw error;
      if (!error.shown && this.#stopped === undefined) this.log.failure(name, error.describe());
      return false;
    }
  }

  async #execute(job: PlannedJob, args: Args, parent?: JobExecution): Promise<Args> {
    const execution = new JobExecution(this, job, args, parent);
    const quiet = job.builtin !== undefined;
    const start = performance.now();
    let well = false;
    this.#running.add(execution);
    if (!quiet) this.log.started(job.name);
    if (!quiet) this.log.args(job.name, args);
    try {
      const result = await execution.run();
      well = true;
      return result;
    } finally {
      this.#running.delete(execution);
      if (!quiet) this.log.ended(job.name, performance.now() - start, well);
    }
  }

  #warnMissing(job: string, argument: string, path: string): void {
    const message = `nothing fills {{${path}}} in the argument "${argument}" of the job "${job}".`;
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.log.line("WARN", message);
  }
}
