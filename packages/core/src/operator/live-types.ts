import type { Version } from "../channel/types.js";
import type { Progress } from "../jobs/logs/types.js";
import type { AuditEntry, JobSummary, RunRecord } from "../jobs/types.js";
import type { Holder } from "../locks/types.js";

/** Until when a process has its locks. Times are in ms since 1970 by the clock of the reader. */
export interface LiveLease {
  /** When its locks are free if the process does not renew them. */
  readonly until: number;
  /** When the renewal was seen that it renewed them by last. */
  readonly renewed: number;
}

/** A process that has locks or waits for one, or did so a moment ago. */
export interface LiveSession extends Holder {
  /** When it began to hold locks, in ms since 1970 by its own clock. */
  readonly since: number;
  /** Absent until the first renewal was seen, and for a lock that a person holds. */
  readonly lease?: LiveLease;
  /** Set for a lock that a person holds: no process has the session. */
  readonly hold?: true;
}

/** A run that goes on. */
export interface LiveRun extends RunRecord {
  readonly fence: Version;
  /** The usual duration of the job: see {@link JobSummary.usual}. */
  readonly usual?: NonNullable<JobSummary["usual"]>;
  readonly progress?: Progress;
  /** How many wait for its lock. */
  readonly waiting: number;
  /** The lease of its process. */
  readonly lease?: LiveLease;
  /** Who asked it to stop, last. Its body has not obeyed so far. */
  readonly asked?: AuditEntry;
}

/** Options of {@link JobManager.live}. */
export interface LiveOptions {
  /**
   * Called with the name of a job when its run began, changed or ended, or when more or fewer wait for its
   * lock. The renewals of leases are not told.
   */
  readonly changed?: (name: string) => void;
  /** Called if the store fails in a way that does not pass: what is known grows old from then on. */
  readonly failed?: (error: unknown) => void;
}
