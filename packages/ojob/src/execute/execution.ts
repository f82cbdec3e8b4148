import type { Clock } from "@ojm/core";
import type { Taking } from "../load/job-file.js";
import type { JobOutput } from "../output/job-output.js";
import { type Environment, environmentOf } from "../plan/environment.js";
import type { PlannedJob } from "../plan/planned.js";
import type { FailureData } from "../script/protocol.js";
import type { HeldLocks } from "./runtime/locks.js";
import type { HandedRun, OpenRuns, RefusedRun, RunTick } from "./runtime/open-runs.js";

export interface Endable {
  end(failure: FailureData): void;
}

/** The execution of a job whose script called another job, or runs code beside its steps. */
export interface ParentExecution {
  readonly trigger: string;
  /** The called job may end these runs. */
  readonly runs: OpenRuns;
  /** A built-in job that its script calls begins its run with these permits, and this rate. */
  readonly taking: Taking;
  readonly output: JobOutput;
  /** The called job does not take these locks again. */
  readonly locks: HeldLocks;
  /** Ends `child` whenever this execution is ended. Call the result once the child is done. */
  adopt(child: Endable): () => void;
}

export interface ExecutionOrigin {
  /** What requested the execution. The records of its runs name it. */
  readonly trigger: string;
  readonly parent: ParentExecution | undefined;
  readonly tick?: RunTick | undefined;
  readonly handed?: readonly (HandedRun | RefusedRun)[] | undefined;
  /** The runs of the same request. They can be stopped together. */
  readonly among?: Running | undefined;
  /** The name of the run in banners and messages, where the job has several. */
  readonly label?: string | undefined;
}

export interface Stoppable {
  stop(reason: string): void;
  /** Ends the execution, whatever it is doing. */
  kill(reason: string): void;
}

/** The executions that run now, and whether another one may start. */
export class Running {
  readonly #grace: number;
  readonly #clock: Clock;
  readonly #running = new Set<Stoppable>();
  /** Why no execution may start. */
  refusal: string | undefined;
  /** Whether the grace period is over. */
  killed = false;
  /** Whether a second stop was requested: the jobs of type shutdown do not run then. */
  hurried = false;
  #cancelKill: () => void = () => {};

  /** `grace` is how long executions have to stop by themselves, in ms. */
  constructor(grace: number, clock: Clock) {
    this.#clock = clock;
    this.#grace = grace;
  }

  /** Call the result once the execution is over. */
  add(one: Stoppable): () => void {
    this.#running.add(one);
    return () => this.#running.delete(one);
  }

  /** Asks all executions to stop, and ends them after the grace period, or at a second request. */
  stop(reason: string): void {
    if (this.refusal !== undefined) {
      this.hurried = true;
      this.kill(reason);
      return;
    }
    this.refusal = reason;
    this.#armKill(reason);
    for (const one of this.#running) one.stop(reason);
  }

  kill(reason: string): void {
    this.refusal ??= reason;
    this.killed = true;
    for (const one of this.#running) one.kill(reason);
  }

  /** Lets executions start again. After a stop, they have the grace period too. */
  reopen(): void {
    const reason = this.refusal;
    this.#cancelKill();
    this.refusal = undefined;
    this.killed = false;
    if (reason !== undefined) this.#armKill(reason);
  }

  /** Cancels the timer of the grace period, because no execution is left. */
  close(): void {
    this.#cancelKill();
  }

  #armKill(reason: string): void {
    this.#cancelKill = this.#clock.after(this.#grace, () => this.kill(reason));
  }
}

export interface ScriptContext {
  readonly environment: Environment;
  /** The folder. Default: that of the process. */
  readonly folder: string | undefined;
}

/** A job that is a step adds its environment to that `around` it, but has a folder of its own. */
export function contextOf(job: PlannedJob, around?: ScriptContext): ScriptContext {
  return { environment: environmentOf(job, around?.environment), folder: job.folder };
}
