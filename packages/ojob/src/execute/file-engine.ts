import { availableParallelism } from "node:os";
import { maskUrls, Semaphore, visible } from "@ojm/core/internal";
import type { Args, CodeBlock } from "../load/job-file.js";
import type { RunsAround } from "../output/job-output.js";
import type { Log } from "../output/log.js";
import { type Missing, mergeArgs, type RunArgs, runArgs } from "../plan/args.js";
import type { Environment } from "../plan/environment.js";
import { placeChannel, placeChannels, type Saying } from "../plan/manager/channels.js";
import { JOB_INIT, JOB_START } from "../plan/manager/manager-args.js";
import { isSequential, type JobStep, type Plan, type PlannedJob } from "../plan/planned.js";
import type { ThreadPool } from "../script/thread.js";
import { didYouMean, type Position } from "../text/problem.js";
import { requiredText } from "../text/template.js";
import { Dispatch } from "./dispatch/dispatch.js";
import type { JobOutcome, JobRequest, Request } from "./dispatch/requests.js";
import type { Engine } from "./engine.js";
import { type ExecutionOrigin, type ParentExecution, Running } from "./execution.js";
import { JobExecution } from "./job/job-execution.js";
import { argsOfCode } from "./job/step-args.js";
import { JobRuns } from "./job-runs.js";
import { FileQueues } from "./queues/file-queues.js";
import type { StoreConfig } from "./queues/queue-stores.js";
import { JobError } from "./runtime/job-error.js";
import type { Runtime } from "./runtime/runtime.js";
import { Schedules } from "./triggers/schedules.js";
import { Subscriptions, subscribe } from "./triggers/subscriptions.js";

/** The least number of slots by default. Some jobs only wait, so it may exceed the processors. */
const MIN_THREADS = 4;

type Given = "plan" | "commandLine" | "typed" | "log" | "pool" | "runtime" | "grace" | "files";

interface EngineParts extends Pick<Engine, Given> {
  /** The slots of the job file that runs this one. */
  readonly slots?: Semaphore;
  readonly around?: RunsAround;
}

export class FileEngine implements Engine {
  readonly plan: Plan;
  readonly commandLine: Args;
  readonly typed: Args;
  readonly log: Log;
  readonly pool: ThreadPool;
  readonly runtime: Runtime;
  readonly grace: number;
  readonly files: readonly string[];
  readonly around: RunsAround | undefined;
  readonly dispatch: Dispatch;
  readonly running: Running;
  handedOn: Args = {};
  readonly #parts: EngineParts;
  readonly #slots: Semaphore;
  readonly #schedules: Schedules;
  readonly #subscriptions = new Subscriptions();
  readonly #queues: FileQueues;
  /** The warnings of templates without a value that were shown. */
  readonly #warned = new Set<string>();
  /** Whether no job failed, and no job was skipped against the intent of the job file. */
  #well = true;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.plan = parts.plan;
    this.commandLine = parts.commandLine;
    this.typed = parts.typed;
    this.log = parts.log;
    this.pool = parts.pool;
    this.runtime = parts.runtime;
    this.grace = parts.grace;
    this.files = parts.files;
    this.around = parts.around;
    const { settings } = this.plan;
    const { clock } = this.runtime;
    const { numThreads = Math.max(MIN_THREADS, availableParallelism()), depsTimeout } = settings;
    this.running = new Running(this.grace, clock);
    this.#slots = parts.slots ?? new Semaphore(numThreads);
    this.dispatch = new Dispatch({
      slots: this.#slots,
      sequential: isSequential(settings),
      depsTimeout,
      clock,
      run: (request, judgements) => new JobRuns(this, request).run(judgements),
      onOutcome: (request, outcome) => this.#note(request, outcome),
    });
    this.#schedules = new Schedules(this);
    this.#queues = new FileQueues(this, numThreads);
  }

  get exitCode(): number | undefined {
    return this.runtime.exitCode;
  }

  readonly storeAnswers = (): Promise<boolean> => this.runtime.managers.answers();

  get killed(): boolean {
    return this.running.killed;
  }

  get refusal(): string | undefined {
    return this.running.refusal;
  }

  inside(plan: Plan, commandLine: Args, file: string, around: RunsAround): FileEngine {
    const files = [...this.files, file];
    return new FileEngine({ ...this.#parts, plan, commandLine, slots: this.#slots, files, around });
  }

  job(name: string): PlannedJob {
    const job = this.plan.jobs.get(name);
    if (job !== undefined) return job;
    throw new JobError(`there is no job "${name}".${didYouMean(name, this.plan.jobs.keys())}`);
  }

  async args(job: PlannedJob, own: Args, given: Args, environment: Environment = job.environment): Promise<Args> {
    const variables = environment.all;
    const { secretArgs: secrets, verbatim } = job;
    const sources = { own, given, commandLine: this.commandLine, secrets, variables, verbatim };
    return this.placed(mergeArgs(sources, this.missing(job.name, job)), own, job.at);
  }

  async runsOf(job: PlannedJob, given: Args, origin: ExecutionOrigin): Promise<readonly RunArgs[]> {
    if (job.argsCode === undefined) return runArgs(job).map((own) => ({ own, given }));
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
    return { at, typed: this.typed, pathsOf: this.runtime.pathsOf };
  }

  async run(): Promise<boolean> {
    const unopened = await this.#openChannels();
    if (unopened !== undefined) {
      this.log.line("ERROR", unopened);
      return false;
    }
    const todo = sortTodo(this.plan);
    const stay = this.plan.settings.daemon ? this.#stay() : () => {};
    try {
      this.dispatch.submit(...todo.now);
      await this.#settled();
      this.#schedules.stop();
      const stopped = this.refusal !== undefined;
      if (todo.shutdown.length > 0 && !this.running.hurried) {
        this.running.reopen();
        this.dispatch.reopen();
      }
      this.dispatch.submit(...todo.shutdown);
      await this.dispatch.idle();
      return this.#well && !stopped && this.refusal === undefined;
    } finally {
      this.#subscriptions.close();
      this.#queues.forget();
      await this.#schedules.ended();
      stay();
      this.running.close();
    }
  }

  /** Opens the channels that the file declares. Resolves to why one cannot be opened: then no job starts. */
  async #openChannels(): Promise<string | undefined> {
    for (const { name, at, ...written } of this.plan.settings.channels?.create ?? []) {
      try {
        const { type, args } = await placeChannel(written, written, this.#saying(at));
        await this.runtime.channels.call(name, "create", [type, args]);
      } catch (error) {
        return `the channel "${name}" of ojob.channels cannot be opened: ${maskUrls((error as Error).message)}`;
      }
    }
    return undefined;
  }

  /** Resolves when no request is open and no pending change of a channel can make one. */
  async #settled(): Promise<void> {
    let more: boolean;
    do {
      await this.dispatch.idle();
      more = (await this.#subscriptions.catchUp()) || (await this.#queues.emptied());
    } while (more || this.dispatch.requests.open.size > 0);
    // The items in hand are requests too.
    await this.#queues.ended();
    await this.dispatch.idle();
  }

  async begin(job: PlannedJob, given: readonly Args[]): Promise<void> {
    if (this.refusal !== undefined) return;
    if (job.type === "subscribe") await subscribe(this, this.#subscriptions, job, given);
    else await this.#schedules.begin(job, given);
  }

  beginQueue(args: Args, config: StoreConfig | undefined): Promise<void> {
    return this.#queues.begin(args, config);
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

  async call(name: string, args: Args, caller: ParentExecution): Promise<JobOutcome> {
    return this.dispatch.call({ job: this.job(name), given: [args], trigger: caller.trigger, caller });
  }

  launch(name: string, given: readonly Args[]): string {
    const job = this.job(name);
    const { refusal } = this;
    if (refusal !== undefined) throw new JobError(`"${name}" was not launched: ${refusal}`);
    const [request] = this.dispatch.submit({ job, given, trigger: "launch" });
    return request?.id ?? "";
  }

  execute(job: PlannedJob, args: Args, origin: ExecutionOrigin): Promise<Args> {
    return new JobExecution(this, job, args, origin).run();
  }

  /** Starts no other job, asks all to stop, and ends them after the grace period or at a second stop. */
  stop(reason: string): void {
    this.#closeSources(reason);
    this.running.stop(reason);
  }

  kill(reason: string): void {
    this.#closeSources(reason);
    this.running.kill(reason);
  }

  #closeSources(reason: string): void {
    this.#subscriptions.close();
    this.#schedules.stop();
    this.#queues.stop();
    this.dispatch.stop(reason);
  }

  failed(job: string, error: JobError): void {
    this.#well = false;
    if (!error.shown) this.log.failure(job, error.describe());
  }

  jobSkipped(job: string, reason: string): void {
    this.log.note(`-- ${visible(job)}: skipped, ${visible(reason)}`);
  }

  tickSkipped(job: string, at: number, reason: string): void {
    this.log.line("INFO", `"${job}" was skipped at its tick of ${new Date(at).toISOString()}: ${reason}`);
  }

  warnMissing(job: string, argument: string, written: string): void {
    const message = `nothing fills ${written} in the argument "${argument}" of the job "${job}".`;
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.log.line("WARN", message);
  }

  missing(job: string, { argsAt = {}, at }: Pick<JobStep, "argsAt" | "at">): Missing {
    return (argument, written, message) => {
      if (message === undefined) return this.warnMissing(job, argument, written);
      throw new JobError(requiredText(argument, written, message), { at: argsAt[argument] ?? at });
    };
  }

  #note(request: Request, outcome: JobOutcome): void {
    this.#noteOutcome(request, outcome);
    // A process that could only wait ends with an error, for the operator. This request counts as open.
    const { open } = this.dispatch.requests;
    const idle = open.size > 1 ? undefined : whyIdle(this.plan, this.runtime.managers.failed);
    if (idle === undefined || this.refusal !== undefined) return;
    this.log.line("ERROR", `${idle}: it ends`);
    this.stop(idle);
  }

  #noteOutcome({ contents: { job, entry, begins, tick } }: Request, outcome: JobOutcome): void {
    const { settings } = this.plan;
    if (outcome.status === "failed") {
      // A stopped job fails only because of the stop, which has been shown.
      if (this.refusal === undefined) this.failed(job.name, outcome.error);
      this.#well = false;
    } else if (outcome.status === "skipped") {
      // After exit(0), a job that did not run is not an error.
      if (!outcome.intended && this.exitCode !== 0) {
        this.#well = false;
        this.log.line("ERROR", `job "${job.name}" was skipped: ${outcome.reason}`);
      } else if (tick === undefined) this.jobSkipped(job.name, outcome.reason);
    } else if (entry !== undefined && !begins && settings.shareArgs && isSequential(settings)) {
      this.handedOn = outcome.args;
    }
  }
}

const REPEATED = ["periodic", "subscribe"];

/** The requests of the todo: those of now, and those of the jobs of type shutdown. */
function sortTodo({ todo, jobs }: Plan): { readonly now: JobRequest[]; readonly shutdown: JobRequest[] } {
  const now: JobRequest[] = [];
  const shutdown: JobRequest[] = [];
  for (const entry of todo) {
    const job = jobs.get(entry.job);
    if (job === undefined) continue;
    const request = { job, given: runArgs(entry), entry, begins: REPEATED.includes(job.type) };
    if (job.type === "shutdown") shutdown.push({ ...request, trigger: "shutdown" });
    else now.push({ ...request, trigger: "manual" });
  }
  return { now, shutdown };
}

/** Why a daemon has nothing left to do: every trigger needs the job manager, and Init failed. */
function whyIdle({ todo, jobs, settings }: Plan, initFailed: boolean): string | undefined {
  if (settings.daemon !== true || !initFailed) return undefined;
  const mayWork = todo.some(({ job: name }) => {
    const { type = "", steps = [] } = jobs.get(name) ?? {};
    return REPEATED.includes(type) && !steps.some((step) => "job" in step && step.job === JOB_START);
  });
  return mayWork ? undefined : `${JOB_INIT} failed, so the daemon has nothing to do`;
}
