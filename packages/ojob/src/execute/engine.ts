import { availableParallelism } from "node:os";
import { nearest } from "@ojm/core/backend";
import type { Args } from "../load/jobfile.js";
import type { Log } from "../output/log.js";
import { mergeArgs } from "../plan/args.js";
import type { Plan, PlannedJob } from "../plan/plan.js";
import { SharedGlobals } from "../script/globals.js";
import type { ThreadPool } from "../script/pool.js";
import type { PrepareType } from "./backends.js";
import { ScriptChannels } from "./channels.js";
import { Dispatch } from "./dispatch.js";
import { JobError } from "./error.js";
import { type ExecutionOrigin, JobExecution } from "./job.js";
import { Managers } from "./managers.js";
import { perform } from "./perform.js";
import type { Outcome, Request } from "./requests.js";
import { Slots } from "./slots.js";
import { askedByTodo } from "./todo.js";

/** Jobs that run at once where the file does not say: as many as there are processors, and some for those that wait. */
const FEWEST_THREADS = 4;

/** What an {@link Engine} works with. */
export interface EngineParts {
  readonly plan: Plan;
  readonly commandLine: Args;
  readonly log: Log;
  readonly pool: ThreadPool;
  readonly prepare: PrepareType;
}

/** Runs the jobs of one job file, and holds what they share. */
export class Engine {
  readonly log: Log;
  readonly pool: ThreadPool;
  readonly managers: Managers;
  readonly channels: ScriptChannels;
  readonly globals: SharedGlobals = new SharedGlobals();
  /** What scripts keep by `$set` and `$get`. */
  readonly values: Map<string, unknown> = new Map();
  readonly commandLine: Args;
  readonly dispatch: Dispatch;
  /** What the last job of the todo left behind, where `ojob.shareArgs` hands it on. */
  shared: Args = {};
  readonly #plan: Plan;
  readonly #running = new Set<JobExecution>();
  readonly #warned = new Set<string>();
  #stopped: string | undefined;
  #killed = false;
  #well = true;

  constructor({ plan, commandLine, log, pool, prepare }: EngineParts) {
    this.log = log;
    this.pool = pool;
    this.managers = new Managers(prepare);
    this.channels = new ScriptChannels(this.managers, prepare);
    this.commandLine = commandLine;
    this.#plan = plan;
    const { numThreads = Math.max(FEWEST_THREADS, availableParallelism()), depsTimeout } = plan.settings;
    this.dispatch = new Dispatch({
      slots: new Slots(numThreads),
      sequential: isSequential(plan),
      depsTimeout,
      run: (request, judgements) => perform(this, request, judgements),
      onOutcome: (request, outcome) => this.#note(request, outcome),
    });
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
    const sources = { own, given, commandLine: this.commandLine };
    return mergeArgs(sources, (argument, path) => this.warnMissing(job.name, argument, path));
  }

  /** Runs the todo and all that comes of it. Resolves to whether all went well. */
  async run(): Promise<boolean> {
    this.dispatch.submit(...askedByTodo(this.#plan.todo, (name) => this.job(name)));
    await this.dispatch.idle();
    return this.#well && this.#stopped === undefined;
  }

  /**
   * Runs a job for a script that waits for it.
   *
   * @throws JobError if it failed or was skipped
   */
  async call(name: string, args: Args, caller: JobExecution): Promise<Args> {
    const job = this.job(name);
    const outcome = await this.dispatch.call({ job, given: [args], trigger: caller.trigger, caller });
    if (outcome.status === "completed") return outcome.args;
    if (outcome.status === "failed") throw outcome.error;
    throw new JobError(`"${name}" was skipped: ${outcome.reason}`);
  }

  /**
   * Asks for a job to be run as soon as its dependencies and a slot allow it, beside all others. Returns the id of the request.
   *
   * @throws JobError if there is no such job
   */
  launch(name: string, given: readonly Args[]): string {
    const job = this.job(name);
    if (this.#stopped !== undefined) throw new JobError(`"${name}" was not launched: ${this.#stopped}`);
    const [request] = this.dispatch.submit({ job, given, trigger: "launch" });
    return request?.id ?? "";
  }

  /** Runs a job once, in a slot that is already there. Rejects with a JobError if it fails. */
  async execute(job: PlannedJob, args: Args, origin: ExecutionOrigin): Promise<Args> {
    if (this.#stopped !== undefined) throw new JobError(`"${job.name}" was not started: ${this.#stopped}`);
    const execution = new JobExecution(this, job, args, origin);
    const quiet = job.builtin !== undefined || job.typeArgs.noLog === true;
    const start = performance.now();
    let well = false;
    this.#running.add(execution);
    if (!quiet) this.log.started(job.name);
    try {
      const result = await execution.run();
      well = true;
      return result;
    } finally {
      this.#running.delete(execution);
      if (!quiet) this.log.ended(job.name, performance.now() - start, well);
    }
  }

  /** Asks all jobs to stop, and starts no more. */
  stop(reason: string): void {
    this.#stopped ??= reason;
    this.dispatch.stop(reason);
    for (const job of this.#running) job.stop(reason);
  }

  /** Ends all jobs, whatever they are doing. Their runs are closed and their locks released all the same. */
  kill(reason: string): void {
    this.stop(reason);
    this.#killed = true;
    for (const job of this.#running) job.kill(reason);
  }

  /** Lets go of channels. */
  async close(): Promise<void> {
    await Promise.all([this.channels.close(), this.managers.close()]);
  }

  /** Warns, once, of a template that nothing fills. */
  warnMissing(job: string, argument: string, path: string): void {
    const message = `nothing fills {{${path}}} in the argument "${argument}" of the job "${job}".`;
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.log.line("WARN", message);
  }

  /** Says why a job failed or was skipped, if nobody has said so yet. */
  #note({ job, entry }: Request, outcome: Outcome): void {
    if (outcome.status === "completed") {
      if (entry !== undefined && this.#plan.settings.shareArgs && isSequential(this.#plan)) this.shared = outcome.args;
    } else if (outcome.status === "failed") {
      this.#well = false;
      if (!outcome.error.shown && this.#stopped === undefined) this.log.failure(job.name, outcome.error.describe());
    } else if (outcome.intended) {
      this.log.note(`-- ${job.name}: skipped, ${outcome.reason}`);
    } else {
      this.#well = false;
      this.log.line("ERROR", `job "${job.name}" was skipped: ${outcome.reason}`);
    }
  }
}

function isSequential({ settings }: Plan): boolean {
  return !(settings.async ?? settings.sequential === false);
}
