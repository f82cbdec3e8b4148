import type { Run, Tick } from "@ojm/core";

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
  /** Whether the run is left to another process, now that the job is stopped. */
  readonly isLeft: () => boolean;
}

/** The start of a run that failed before the job began: its first start of that name fails like this. */
export interface RefusedRun {
  readonly name: string;
  readonly error: unknown;
}
