/** Of which code the results are, and of which day. */
export interface Stamp {
  /** As Git names it, with "+changes" if there was more than that. */
  readonly commit: string;
  readonly date: string;
}

/** What is kept of a cell for the table. */
export interface Row extends Finding, Stamp {}

/** What was found in a cell. */
export interface Finding {
  readonly backend: string;
  readonly fault: string;
  readonly mode: string;
  readonly seed: number;
  readonly ttl: number;
  readonly skipped?: string;
  /** Why the harness could not bring it to its end: it is not judged. */
  readonly broken?: string;
  readonly runs: number;
  readonly overlaps: number;
  readonly violations: number;
  /** The laws that were broken. */
  readonly laws?: readonly string[];
  readonly worstSignal?: number;
  /** How long two ran whom the fault excuses. */
  readonly excusedOverlap: number;
  /** And whom a forced unlock does. */
  readonly forcedOverlap: number;
  readonly recovery?: number;
}
