import type { CallOptions } from "../../channel/types.js";
import type { RunStatus } from "../../jobs/types.js";

/** Options of {@link JobManager.rollups}. */
export interface RollupsOptions extends CallOptions {
  /** Only these jobs. Default: all jobs with runs. Set it if there are thousands. */
  readonly names?: readonly string[];
  /** The start and the end (exclusive), in ms since 1970. Each is widened to a whole cell, in UTC. */
  readonly from: number;
  readonly to: number;
  /** The length of a cell. A query may cover 7 days of minutes, or 400 days of hours. */
  readonly by: "hour" | "minute";
}

/** Counts of the runs of a job that began in one hour, or in one minute. */
export interface RollupCell {
  /** When the cell begins, in ms since 1970. */
  readonly at: number;
  /** How many runs began, by their present status. A status without runs is absent. */
  readonly runs: { readonly [S in RunStatus]?: number };
  /** The total duration of the ended runs, in ms. */
  readonly busy: number;
  /** The duration of the longest of them, in ms. */
  readonly longest: number;
}

/** The cells of a job in which a run began, the oldest first. */
export interface JobRollup {
  readonly name: string;
  readonly cells: readonly RollupCell[];
}

/** The result of {@link JobManager.rollups}. */
export interface Rollups {
  /** The jobs that ran, ordered by name. */
  readonly jobs: readonly JobRollup[];
  /**
   * The runs that began from `from` to `to` (exclusive) are not all counted yet: too many records were not
   * folded. Query again: the fold continues. Absent if the answer is complete.
   */
  readonly missing?: { readonly from: number; readonly to: number };
}
