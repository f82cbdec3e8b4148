import type { Args, CodeBlock, Shortcut } from "../load/job-file.js";
import type { RunsAround } from "../output/job-output.js";
import type { Log } from "../output/log.js";
import type { Missing, RunArgs } from "../plan/args.js";
import type { Environment } from "../plan/environment.js";
import type { JobStep, Plan, PlannedJob } from "../plan/planned.js";
import type { ThreadPool } from "../script/thread.js";
import type { Position } from "../text/problem.js";
import type { Dispatch } from "./dispatch/dispatch.js";
import type { JobOutcome } from "./dispatch/requests.js";
import type { ExecutionOrigin, ParentExecution, Running, ScriptContext, Stoppable } from "./execution.js";
import type { StoreConfig } from "./queues/queue-stores.js";
import type { JobError } from "./runtime/job-error.js";
import type { Runtime } from "./runtime/runtime.js";

/** Runs the jobs of one job file. Everything that belongs to the run of the file is reached from here. */
export interface Engine extends Stoppable {
  readonly plan: Plan;
  /** The arguments that all jobs have. */
  readonly commandLine: Args;
  /** What the user typed on the command line of the process. Its paths begin at the working directory. */
  readonly typed: Args;
  readonly log: Log;
  readonly pool: ThreadPool;
  readonly runtime: Runtime;
  /** How long jobs, and processes of scripts, have to end after a request to end, in ms. */
  readonly grace: number;
  /** The job files that led to this one, which is the last. Absolute paths. */
  readonly files: readonly string[];
  /** The runs of the job that runs this job file, if one does. Their logs get the output of its jobs. */
  readonly around: RunsAround | undefined;
  readonly dispatch: Dispatch;
  readonly running: Running;
  /** Why no job may start. `undefined` while jobs may start. */
  readonly refusal: string | undefined;
  /** Whether the grace period of a stop is over. */
  readonly killed: boolean;
  /** The arguments that the last job of the todo left behind, if `ojob.shareArgs` hands them on. */
  readonly handedOn: Args;

  /** Runs the todo, what follows from it, and last the jobs of type shutdown. True if all went well. */
  run(): Promise<boolean>;
  /** Makes the engine for another job file that a job of this one runs. */
  inside(plan: Plan, commandLine: Args, file: string, around: RunsAround): Engine;
  /** Begins the schedule or the subscription of a job, unless the jobs are being stopped. */
  begin(job: PlannedJob, given: readonly Args[]): Promise<void>;
  /** Handles the items of a queue until the jobs are over. `config`: its store, if the args name one. */
  beginQueue(args: Args, config: StoreConfig | undefined): Promise<void>;
  /** @throws JobError if the job does not exist */
  job(name: string): PlannedJob;
  /** Merges the arguments of a job: its own win. `environment`: by default that of the job. */
  args(job: PlannedJob, own: Args, given: Args, environment?: Environment): Promise<Args>;
  /**
   * The arguments of each run of a job, its own and those given. What `args` that are code return counts as
   * given, because it is data: its templates are not filled.
   */
  runsOf(job: PlannedJob, given: Args, origin: ExecutionOrigin): Promise<readonly RunArgs[]>;
  evaluateArgs(code: CodeBlock, job: PlannedJob, args: Args, origin: ExecutionOrigin): Promise<readonly Args[]>;
  /** Makes the paths of channels absolute, in arguments that stand at the place `at` of a job file. */
  placed(args: Args, written: Args, at: Position): Promise<Args>;
  /** Runs a job for a script or a shortcut that waits for it. Rejects if the job does not exist. */
  call(name: string, args: Args, caller: ParentExecution): Promise<JobOutcome>;
  /** Requests a job that runs when it can. Returns the id of the request. Throws if there is no such job. */
  launch(name: string, given: readonly Args[]): string;
  /** Runs a job once, in a slot that the caller holds. Rejects with a JobError if the job fails. */
  execute(job: PlannedJob, args: Args, origin: ExecutionOrigin): Promise<Args>;
  /** Shows why a job, or one of its runs, was skipped, as the job file intends. */
  jobSkipped(job: string, reason: string): void;
  tickSkipped(job: string, at: number, reason: string): void;
  /** Shows the failure of a job that has no request of its own. */
  failed(job: string, error: JobError): void;
  /** Warns once of a template that no argument fills. */
  warnMissing(job: string, argument: string, written: string): void;
  /** The same for arguments at these places. Throws a JobError for a `${x:?message}`. */
  missing(job: string, at: Pick<JobStep, "argsAt" | "at">): Missing;
}

/** One execution of a job, as its scripts and its shortcuts see it. */
export interface Execution extends ParentExecution {
  readonly engine: Engine;
  readonly job: PlannedJob;
  readonly place: ScriptContext;
  /** Fires when the job is asked to stop, and when the current step is ended. */
  readonly signal: AbortSignal;
  /** @throws JobError if the job must stop */
  throwIfStopped(): void;
  /** Runs code for the current step, and resolves to its result. */
  runCode(code: CodeBlock, args: Args): Promise<unknown>;
  /** Runs a shortcut, and resolves to the arguments for the next step. */
  runShortcut(shortcut: Shortcut, args: Args): Promise<Args>;
  runFile(file: Pick<PlannedJob, "at" | "typeArgs">, args: Args): Promise<void>;
  /** Hands an item to the jobs of `each`, or only to the job named `only`. */
  addItem(item: unknown, only?: string): void;
}
