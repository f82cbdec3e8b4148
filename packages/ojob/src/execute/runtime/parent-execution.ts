import type { Run, Tick } from "@ojm/core";
import type { FailureData } from "../../script/protocol.js";
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
  /** The called job does not take these locks again. */
  readonly locks: HeldLocks;
  /** Ends `child` whenever this execution is ended. Call the result once the child is done. */
  adopt(child: Endable): () => void;
}

/** The tick of a schedule that a job runs for. */
export interface RunTick extends Tick {
  /** Other processes have the same ticks, and no store says which of them is run: each run claims its own. */
  readonly isClaimed?: boolean;
}

/** A run that was started before the job. The signal of the run ends the job. */
export interface HandedRun {
  readonly run: Run;
  /**
   * Whether the first start of a run of that name in the job adopts it. Otherwise it is nothing that others
   * see, and the job does not know of it.
   */
  readonly isAdopted: boolean;
  /** Whether the run is left open, now that the job is stopped: another process makes its next attempt. */
  readonly isLeft: () => boolean;
}

/** The start of a run that failed before the job began: its first start of that name fails like this. */
export interface RefusedRun {
  readonly name: string;
  readonly error: unknown;
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
