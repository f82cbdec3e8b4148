import { availableParallelism } from "node:os";
import { nearest } from "@ojm/core/internal";
import type { Args, CodeBlock, Settings } from "../load/job-file.js";
import type { RunsAround } from "../output/job-output.js";
import type { Log } from "../output/log.js";
import { mergeArgs } from "../plan/args.js";
import type { Environment } from "../plan/environment.js";
import { placeChannels, type Saying } from "../plan/manager/channels.js";
import { ownArgs } from "../plan/manager/starts.js";
import { isSequential, type Plan, type PlannedJob, type Step } from "../plan/planned.js";
import type { ThreadPool } from "../script/thread.js";
import type { Position } from "../text/problem.js";
import { requiredText } from "../text/template.js";
import { openDeclared } from "./declared-channels.js";
import { Dispatch, Semaphore } from "./dispatch/dispatch.js";
import type { JobOutcome, Request, RunArgs } from "./dispatch/requests.js";
import { type ExecutionOrigin, type ParentExecution, Running, type Stoppable } from "./execution.js";
import { JobExecution } from "./job/job-execution.js";
import { argsOfCode } from "./job/step-args.js";
import { performRequest, type RequestHost } from "./job-runs.js";
import { Report } from "./report.js";
import { JobError, SkippedJob } from "./runtime/job-error.js";
import type { Runtime } from "./runtime/runtime.js";
import { sortTodo, type TriggerHost, Triggers, whyIdle } from "./triggers/triggers.js";

/** The least number of slots where the file sets none: more jobs than processors, for some only wait. */
const FEWEST_THREADS = 4;

/** What an {@link Engine} needs. */
interface EngineParts {
  readonly plan: Plan;
  readonly commandLine: Args;
  /** What the user typed on the command line of the process. Its paths begin at the working directory. */
  readonly typed: Args;
  readonly log: Log;
  readonly pool: ThreadPool;
  readonly runtime: Runtime;
  /** How long jobs have to stop by themselves, in ms. */
  readonly grace: number;
  /** The job files that led to this one, itself the last. Absolute paths. */
  readonly files: readonly string[];
  /** The slots of the job file that runs this one. */
  readonly slots?: Semaphore;
  /** The runs of the job that runs this file. Their logs have what its jobs print. */
  readonly around?: RunsAround;
}

/** Runs the jobs of one job file. */
export class Engine implements Stoppable, RequestHost, TriggerHost {
  readonly log: Log;
  readonly pool: ThreadPool;
  /** How long a process has to end after it was told to, in ms. */
  readonly grace: number;
  readonly runtime: Runtime;
  readonly commandLine: Args;
  readonly files: readonly string[];
  readonly dispatch: Dispatch;
  readonly slots: Semaphore;
  /** What the last job of the todo left behind, where `ojob.shareArgs` hands it on. */
  handedOn: Args = {};
  readonly #parts: EngineParts;
  readonly plan: Plan;
  readonly #running: Running;
  readonly #triggers: Triggers;
  readonly #report: Report;

  constructor(parts: EngineParts) {
    const { plan, commandLine, log, pool, runtime, grace, files } = parts;
    this.log = log;
    this.pool = pool;
    this.grace = grace;
    this.runtime = runtime;
    this.commandLine = commandLine;
    this.files = files;
    this.#parts = parts;
    this.plan = plan;
    this.#running = new Running(grace, runtime.clock);
    const { numThreads = Math.max(FEWEST_THREADS, availableParallelism()), depsTimeout } = plan.settings;
    this.slots = parts.slots ?? new Semaphore(numThreads);
    this.dispatch = new Dispatch({
      slots: this.slots,
      sequential: isSequential(plan.settings),
      depsTimeout,
      clock: runtime.clock,
      run: (request, judgements) => performRequest(this, request, judgements),
      onOutcome: (request, outcome) => this.#note(request, outcome),
    });
    this.#triggers = new Triggers(this);
    this.#report = new Report(log);
  }

  get around(): RunsAround | undefined {
    return this.#parts.around;
  }

  get typed(): Args {
    return this.#parts.typed;
  }

  /** The `ojob` section. */
  get settings(): Settings {
    return this.plan.settings;
  }

  /** The exit code that a script asked for by `exit`. */
  get exitCode(): number | undefined {
    return this.runtime.exitCode;
  }

  /** Whether the store of the file answers. */
  readonly storeAnswers = (): Promise<boolean> => this.runtime.managers.answers();

  /** Whether the grace period of a stop is over. */
  get killed(): boolean {
    return this.#running.killed;
  }

  /** Why no job may start; `undefined` while jobs may. */
  get refusal(): string | undefined {
    return this.#running.refusal;
  }

  /** Makes the engine for another job file that a job of this one runs. */
  inside(plan: Plan, commandLine: Args, file: string, around: RunsAround): Engine {
    const files = [...this.files, file];
    return new Engine({ ...this.#parts, plan, commandLine, slots: this.slots, files, around });
  }

  /** @throws JobError if there is no such job. */
  job(name: string): PlannedJob {
    const job = this.plan.jobs.get(name);
    if (job !== undefined) return job;
    const near = nearest(name, this.plan.jobs.keys());
    throw new JobError(`there is no job "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`}`);
  }

  /** The environment of the file. */
  get environment(): Environment {
    return this.plan.environment;
  }

  /** The steps that run when any job failed. */
  get onAnyError(): readonly Step[] {
    return this.plan.onAnyError;
  }

  /** Merges the arguments of a job: its own win over those given. */
  async args(job: PlannedJob, own: Args, given: Args, environment: Environment = job.environment): Promise<Args> {
    const variables = environment.all;
    const sources = { own, given, commandLine: this.commandLine, secrets: job.secretArgs, variables };
    const args = mergeArgs(sources, (argument, written, message) => {
      const at = job.argsAt[argument] ?? job.at;
      if (message !== undefined) throw new JobError(requiredText(argument, written, message), { at });
      this.warnMissing(job.name, argument, written);
    });
    return this.placed(args, own, job.at);
  }

  async runsOf(job: PlannedJob, given: Args, origin: ExecutionOrigin): Promise<readonly RunArgs[]> {
    if (job.argsCode === undefined) return ownArgs(job).map((own) => ({ own, given }));
    const values = await this.evaluateArgs(job.argsCode, job, await this.args(job, {}, given), origin);
    return values.map((value) => ({ own: {}, given: { ...given, ...value } }));
  }

  async evaluateArgs(code: CodeBlock, job: PlannedJob, args: Args, origin: ExecutionOrigin): Promise<readonly Args[]> {
    return argsOfCode(code, job.name, (script) => new JobExecution(this, job, args, origin).evaluate(script));
  }

  placed(args: Args, written: Args, at: Position): Promise<Args> {
    return placeChannels(args, written, this.#saying(at));
  }

  #saying(at: Position): Saying {
    return { at, typed: this.#parts.typed, pathsOf: this.runtime.pathsOf };
  }

  /**
   * Runs the todo and all that follows from it, and at the end the jobs of type shutdown. Resolves to whether
   * all went well.
   */
  async run(): Promise<boolean> {
    const unopened = await openDeclared(this.plan, this.runtime, (at) => this.#saying(at));
    if (unopened !== undefined) {
      this.log.line("ERROR", unopened);
      return false;
    }
    const todo = sortTodo(this.plan);
    const stay = this.plan.settings.daemon ? this.#stay() : () => {};
    try {
      this.dispatch.submit(...todo.now);
      await this.#settled();
      this.#triggers.stopSchedules();
      const stopped = this.#running.refusal !== undefined;
      if (todo.shutdown.length > 0 && !this.#running.hurried) {
        this.#running.reopen();
        this.dispatch.reopen();
      }
      this.dispatch.submit(...todo.shutdown);
      await this.dispatch.idle();
      return this.#report.well && !stopped && this.#running.refusal === undefined;
    } finally {
      await this.#triggers.ended();
      stay();
      this.#running.close();
    }
  }

  /** Resolves when no request is open and no change of a channel is on its way to make one. */
  async #settled(): Promise<void> {
    let told: boolean;
    do {
      await this.dispatch.idle();
      told = await this.#triggers.catchUp();
    } while (told || this.dispatch.requests.open.size > 0);
  }

  async begin(job: PlannedJob, given: readonly Args[]): Promise<void> {
    if (this.#running.refusal === undefined) await this.#triggers.begin(job, given);
  }

  jobSkipped(job: string, reason: string): void {
    this.#report.jobSkipped(job, reason);
  }

  tickSkipped(job: string, at: number, reason: string): void {
    this.#report.tickSkipped(job, at, reason);
  }

  warnMissing(job: string, argument: string, written: string): void {
    this.#report.warnMissing(job, argument, written);
  }

  failed(job: string, error: JobError): void {
    this.#report.failed(job, error);
  }

  /** Keeps a daemon alive until it is stopped, even if it has nothing to do. */
  #stay(): () => void {
    const leave = this.dispatch.expectMore();
    const timer = setInterval(() => {}, 2 ** 30);
    return () => {
      clearInterval(timer);
      leave();
    };
  }

  /** Runs a job for a script or a shortcut that waits for it. Rejects if there is no such job. */
  async call(name: string, args: Args, caller: ParentExecution): Promise<JobOutcome> {
    return this.dispatch.call({ job: this.job(name), given: [args], trigger: caller.trigger, caller });
  }

  /**
   * Requests a job and returns the id of the request. The job runs as soon as its dependencies and a slot
   * allow.
   *
   * @throws JobError if there is no such job
   */
  launch(name: string, given: readonly Args[]): string {
    const job = this.job(name);
    const { refusal } = this.#running;
    if (refusal !== undefined) throw new JobError(`"${name}" was not launched: ${refusal}`);
    const [request] = this.dispatch.submit({ job, given, trigger: "launch" });
    return request?.id ?? "";
  }

  /** Runs a job once, in a slot that the caller holds. Rejects with a JobError if the job fails. */
  async execute(job: PlannedJob, args: Args, origin: ExecutionOrigin): Promise<Args> {
    const { refusal } = this.#running;
    if (refusal !== undefined) throw new JobError(`"${job.name}" was not started: ${refusal}`);
    const execution = new JobExecution(this, job, args, origin);
    const quiet = job.builtin !== undefined || job.typeArgs.noLog === true;
    const start = performance.now();
    let how: "well" | "badly" | "not" = "badly";
    this.#running.add(execution);
    origin.among?.add(execution);
    if (!quiet) this.log.started(job.name, origin.label);
    if (!quiet) execution.output.begin();
    if (!quiet) this.log.args(job.name, args, job.secrets, origin.label);
    try {
      const result = await execution.run();
      how = "well";
      return result;
    } catch (error) {
      if (error instanceof SkippedJob) how = "not";
      throw error;
    } finally {
      this.#running.delete(execution);
      origin.among?.delete(execution);
      if (!quiet && how !== "not") this.log.ended(job.name, performance.now() - start, how === "well", origin.label);
    }
  }

  /**
   * Starts no other job, asks all jobs to stop, and ends them after the grace period. A second stop ends them
   * at once.
   */
  stop(reason: string): void {
    this.#triggers.close();
    this.dispatch.stop(reason);
    this.#running.stop(reason);
  }

  /** Ends all jobs, whatever they are doing. Their runs are still closed and their locks released. */
  kill(reason: string): void {
    this.#triggers.close();
    this.dispatch.stop(reason);
    this.#running.kill(reason);
  }

  /** Reports the outcome of a request, and keeps what `ojob.shareArgs` hands on. */
  #note(request: Request, outcome: JobOutcome): void {
    this.#noteOutcome(request, outcome);
    // Whoever watches the process must see that it can only wait. The request itself is still open.
    const { open } = this.dispatch.requests;
    const idle = open.size > 1 ? undefined : whyIdle(this.plan, this.runtime.managers.failed);
    if (idle === undefined || this.refusal !== undefined) return;
    this.log.line("ERROR", `${idle}: it ends`);
    this.stop(idle);
  }

  #noteOutcome(request: Request, outcome: JobOutcome): void {
    const { job, entry, begins } = request;
    if (outcome.status === "failed") {
      this.#report.failed(job.name, outcome.error, this.#running.refusal !== undefined);
    } else if (outcome.status === "skipped") {
      // After exit(0) nothing that did not run is a fault.
      this.#report.skipped(request, { ...outcome, intended: outcome.intended || this.runtime.exitCode === 0 });
    } else if (entry !== undefined && !begins && this.settings.shareArgs && isSequential(this.settings)) {
      this.handedOn = outcome.args;
    }
  }
}
