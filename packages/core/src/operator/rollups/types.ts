import type { CallOptions } from "../../channel/types.js";
import type { RunStatus } from "../../jobs/types.js";

/** Options of {@link JobManager.rollups}. */
export interface RollupsOptions extends CallOptions {
  /** Only these jobs. Default: all that ran. Give them where there are thousands. */
  readonly names?: readonly string[];
  /** The begin and the end (exclusive), in ms since 1970. Each is widened to a whole cell, in UTC. */
  readonly from: number;
  readonly to: number;
  /** How long a cell is. Of minutes at most 7 days can be asked for at once, of hours at most 400. */
  readonly by: "hour" | "minute";
}

/** What the runs of a job did that began in one hour, or in one minute. */
export interface RollupCell {
  /** When the cell begins, in ms since 1970. */
  readonly at: number;
  /** How many runs began, by the status that they have now. A status that none has is absent. */
  readonly runs: { readonly [S in RunStatus]?: number };
  /** How long the runs took that ended, all together, in ms. */
  readonly busy: number;
  /** How long the longest of them took, in ms. */
  readonly longest: number;
}

/** The cells of a job in which a run began, the oldest first. */
export interface JobRollup {
  readonly name: string;
  readonly cells: readonly RollupCell[];
}

/** What {@link JobManager.rollups} resolves to. */
export interface Rollups {
  /** The jobs that ran, ordered by name. */
  readonly jobs: readonly JobRollup[];
  /**
   * The runs that began from `from` to `to` (exclusive) are not counted yet, or not all of them: too many
   * records were not folded. Ask again: the fold goes on. Absent if the answer is complete.
   */
  readonly missing?: { readonly from: number; readonly to: number };
}
