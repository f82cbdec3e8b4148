import type { Version } from "../channel/types.js";
import type { Progress } from "../jobs/logs/types.js";
import type { AuditEntry, JobSummary, RunRecord } from "../jobs/types.js";
import type { Holder } from "../locks/types.js";

/** Until when a process has its locks. Times are in ms since 1970 by the clock of the reader. */
export interface LiveLease {
  /** When its locks are free if the process does not renew them. */
  readonly until: number;
  /** When the last renewal was seen. */
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

/** An active run. */
export interface ActiveRun extends RunRecord {
  readonly fence: Version;
  /** The usual duration of the job: see {@link JobSummary.usual}. */
  readonly usual?: NonNullable<JobSummary["usual"]>;
  readonly progress?: Progress;
  /** The number of waiters for its lock. */
  readonly waiting: number;
  /** The lease of its process. */
  readonly lease?: LiveLease;
  /** The last request to stop it. Its body has not obeyed yet. */
  readonly stopRequest?: AuditEntry;
}

/** Options of {@link JobManager.followRuns}. */
export interface FollowRunsOptions {
  /**
   * Called with the name of a job when its run began, changed or ended, or when the number of waiters for its
   * lock changed. Renewals of leases are not reported.
   */
  readonly changed?: (name: string) => void;
  /** Called if the store fails permanently: the known state becomes stale from then on. */
  readonly failed?: (error: unknown) => void;
}
