import type { Args, CodeBlock } from "../../load/job-file.js";
import type { RunsAround } from "../../output/job-output.js";
import type { Log } from "../../output/log.js";
import type { Environment } from "../../plan/environment.js";
import type { Plan, PlannedJob, Step } from "../../plan/planned.js";
import type { ThreadPool } from "../../script/thread.js";
import type { Position } from "../../text/problem.js";
import type { Semaphore, SlotLender } from "../dispatch/dispatch.js";
import type { JobOutcome, RunArgs } from "../dispatch/requests.js";
import type { ExecutionOrigin, ParentExecution, Stoppable } from "../execution.js";
import type { Runtime } from "../runtime/runtime.js";

/** A job file that a job of another file runs. */
interface InnerRun extends Stoppable {
  /** Resolves to whether all jobs went well. */
  run(): Promise<boolean>;
}

/** What an execution of a job needs of the engine that runs its job file. */
export interface ExecutionHost {
  readonly log: Log;
  readonly pool: ThreadPool;
  readonly runtime: Runtime;
  /** How long a process has to end after it was told to, in ms. */
  readonly grace: number;
  /** What the user typed on the command line of the process. Its paths begin at the working directory. */
  readonly typed: Args;
  /** The job files that led to this one, itself the last. Absolute paths. */
  readonly files: readonly string[];
  readonly slots: Semaphore;
  /** The runs of the job that runs this job file, if one does. */
  readonly around: RunsAround | undefined;
  readonly dispatch: SlotLender;
  /** Whether the grace period of a stop is over. */
  readonly killed: boolean;
  /** The steps that run when any job failed. */
  readonly onAnyError: readonly Step[];

  /** @throws JobError if there is no such job */
  job(name: string): PlannedJob;
  /**
   * Merges the arguments of a job: its own win over those given. `environment` is where it runs, if that is
   * not the environment of the job itself.
   */
  args(job: PlannedJob, own: Args, given: Args, environment?: Environment): Promise<Args>;
  /** The arguments of each run of a job, its own and those given. The value of code is given: it is data. */
  runsOf(job: PlannedJob, given: Args, origin: ExecutionOrigin): Promise<readonly RunArgs[]>;
  /** Evaluates `args` that are code. */
  evaluateArgs(code: CodeBlock, job: PlannedJob, args: Args, origin: ExecutionOrigin): Promise<readonly Args[]>;
  /** Makes the paths of channels absolute, in arguments that the place `at` of a job file says. */
  placed(args: Args, written: Args, at: Position): Promise<Args>;
  /** Warns once of a template that no argument fills. */
  warnMissing(job: string, argument: string, written: string): void;
  /** Runs a job for a script or a shortcut that waits for it. Rejects if there is no such job. */
  call(name: string, args: Args, caller: ParentExecution): Promise<JobOutcome>;
  /** Requests a job and returns the id of the request without waiting for it. */
  launch(name: string, given: readonly Args[]): string;
  /** Shows that one run of several was skipped by its script. */
  jobSkipped(job: string, reason: string): void;
  /** Runs a job once, in a slot that the caller holds. Rejects with a JobError if the job fails. */
  execute(job: PlannedJob, args: Args, origin: ExecutionOrigin): Promise<Args>;
  /** Ends the whole run as failed: asks all jobs to stop, and starts no other. */
  stop(reason: string): void;
  /** Prepares a run of another job file that shares the slots and the runtime of this one. */
  inside(plan: Plan, commandLine: Args, file: string, around: RunsAround): InnerRun;
}
