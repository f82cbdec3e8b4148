import type { JobOutput } from "../../output/job-output.js";
import type { FailureData } from "../../script/protocol.js";
import type { HandedRun, RefusedRun, RunTick } from "../attempts/handed-run.js";
import type { Running } from "../dispatch/running.js";
import type { HeldLocks } from "./held-locks.js";
import type { OpenRuns } from "./open-runs.js";

/** An execution that another one can end. */
export interface Endable {
  /** Ends it, whatever it is doing. */
  end(failure: FailureData): void;
}

/** The execution of a job whose script called another job, or runs code beside its steps. */
export interface ParentExecution {
  readonly trigger: string;
  /** The called job may end these runs. */
  readonly runs: OpenRuns;
  readonly output: JobOutput;
  /** The called job does not take these locks again. */
  readonly locks: HeldLocks;
  /** Ends `child` whenever this execution is ended. Call the result once the child is done. */
  adopt(child: Endable): () => void;
}

/** What an execution comes from. */
export interface ExecutionOrigin {
  /** What asked for the execution. The records of its runs name it. */
  readonly trigger: string;
  /** The execution whose script calls this one. */
  readonly parent: ParentExecution | undefined;
  /** The tick of a schedule that the execution runs for. */
  readonly tick?: RunTick | undefined;
  /** The runs that were started for the execution. */
  readonly handed?: readonly (HandedRun | RefusedRun)[] | undefined;
  /** The runs of the same request. They can be stopped together. */
  readonly among?: Running | undefined;
  /** The name of the run in banners and messages, where the job has several. */
  readonly label?: string | undefined;
}
