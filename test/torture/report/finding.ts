/** The commit and the day of results. */
export interface Stamp {
  /** Its name in Git, with "+changes" if the work tree had changes. */
  readonly commit: string;
  readonly date: string;
}

/** What the table needs of a cell. */
export interface Row extends Finding, Stamp {}

/** The result of a cell. */
export interface Finding {
  readonly backend: string;
  readonly fault: string;
  readonly mode: string;
  readonly seed: number;
  readonly ttl: number;
  /** The commit of the base version, if half of the workers ran it. */
  readonly base?: string;
  readonly skipped?: string;
  /** Why the harness could not finish the cell. Such a cell is not judged. */
  readonly broken?: string;
  readonly runs: number;
  readonly overlaps: number;
  readonly violations: number;
  /** The laws that the cell violated. */
  readonly laws?: readonly string[];
  readonly worstSignal?: number;
  /** The longest time that two bodies ran at once and the fault excuses, in ms. */
  readonly excusedOverlap: number;
  /** The longest time that two bodies ran at once and a forced unlock excuses, in ms. */
  readonly forcedOverlap: number;
  readonly recovery?: number;
}
