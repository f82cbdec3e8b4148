import type {
  AuditEntry,
  CancelOutcome,
  HeldLock,
  LogLine,
  Maintenance,
  PendingRetry,
  PermitView,
  RunRecord,
  UnlockOutcome,
} from "@ojm/core";
import type { LogGap } from "@ojm/core/internal";
import type { Added, ItemInfo, QueuePause, QueueSummary } from "@ojm/queue";
import type { Backfill, BackfillProgress, NextTick, Pause } from "@ojm/schedule";
import type { Finding } from "../commands/look/doctor/finding.js";
import type { Job } from "../commands/look/jobs.js";
import type { Lock } from "../commands/look/locks.js";
import type { JobTick } from "../commands/look/next.js";
import type { WaitingJob, WaitingRun } from "../commands/look/ps/ps.js";
import type { Running } from "../commands/look/ps/running.js";
import type { Why } from "../commands/look/reasons.js";
import type { NewestRun } from "../commands/look/runs/by-name.js";
import type { ShownRun } from "../commands/look/runs/show.js";
import type { ShownTick } from "../commands/look/ticks.js";
import type { ShownMaintenance } from "../commands/maintenance/status.js";
import type { Counts, Head } from "../commands/port/format.js";
import type { QueueDetails } from "../commands/queue/show.js";
import type { ShownQueue } from "../commands/queue/shown.js";
import type { EXIT } from "../errors.js";

/**
 * The output of each command with `--json`. With `--jsonl`, each line is an item of its list. The schemas of
 * the package are generated from these types and their docstrings, and from the packages that they come from.
 */
export interface Printed {
  /** The runs in progress, the jobs that wait for an attempt, the runs that wait for permits or a rate. */
  readonly ps: readonly (Running | WaitingJob | WaitingRun)[];
  readonly jobs: readonly Job[];
  readonly next: readonly JobTick[];
  /** The most important reason first. */
  readonly why: readonly Why[];
  readonly ticks: readonly ShownTick[];
  /** With --by-name, the newest run of each name. */
  readonly runs: readonly (RunRecord | NewestRun)[];
  readonly history: readonly RunRecord[];
  readonly show: ShownRun;
  readonly logs: readonly (LogLine | LogGap)[];
  readonly wait: RunRecord;
  readonly locks: readonly Lock[];
  /** With N, the new limit of one permit. */
  readonly limit: readonly PermitView[] | NewLimit;
  readonly audit: readonly AuditEntry[];
  /** With --remove, the key of the removed entry. */
  readonly doctor: readonly Finding[] | { readonly removed: unknown };
  readonly "run-now": OfEach<StartedRun | DryStart>;
  readonly cancel: OfEach<CancelOutcome | DryCancel>;
  readonly unlock: UnlockOutcome | (DryRun & { readonly lock: HeldLock });
  readonly hold: OfEach<NewHold | DryHold | UnlockOutcome | (DryRun & { readonly lock: HeldLock })>;
  readonly pause: OfEach<Paused | DryPause>;
  readonly resume: OfEach<Resumed>;
  readonly "maintenance on": StartedMaintenance;
  readonly "maintenance off": { readonly ended: readonly Maintenance[] };
  readonly "maintenance status": readonly ShownMaintenance[];
  readonly schedules: RemovedSchedule;
  /** With --status, the unfinished backfills. With --stop, those that it stopped. */
  readonly backfill: Backfill | readonly BackfillProgress[];
  readonly prune: Pruned;
  readonly import: ImportedStore;
  readonly "queue ls": readonly ShownQueue[];
  /** With the id of an item, that item. */
  readonly "queue show": QueueDetails | ItemInfo;
  readonly "queue dead": readonly ItemInfo[];
  readonly "queue define": Pick<QueueSummary, "options"> & { readonly queue: string };
  readonly "queue add": Added & { readonly queue: string };
  readonly "queue retry": {
    readonly queue: string;
    /** The ids of the items. */
    readonly retried: readonly string[];
  };
  readonly "queue discard": DiscardedItems;
  readonly "queue redrive": {
    readonly queue: string;
    /** How many dead letters will be tried again. */
    readonly retried: number;
  };
  readonly "queue purge": PurgedQueue | DryPurge;
  readonly "queue pause": PausedQueue;
  readonly "queue resume": { readonly queue: string; readonly wasPaused: boolean };
  /** An error of a command that prints JSON, on stderr. */
  readonly error: { readonly error: PrintedError };
}

interface PurgedQueue {
  readonly queue: string;
  /** How many items were removed. */
  readonly purged: number;
  readonly reason: string;
}

/** With --dry-run: nothing was done. */
interface DryRun {
  readonly dryRun: true;
}

interface DryPurge extends DryRun {
  readonly queue: string;
  readonly state: string;
  readonly group?: string;
  /** How many items would be removed. */
  readonly items: number;
}

/** For a pattern or several names, one item for each of them, in order. */
type OfEach<T> = T | readonly (T | FailedName)[];

interface FailedName {
  /** The name, or the id of the run. */
  readonly name: string;
  readonly error: PrintedError;
}

interface NewLimit {
  readonly name: string;
  /** Absent: the numbers of the runs count. */
  readonly limit?: number;
}

interface StartedRun {
  /** The id of the run. */
  readonly run: string;
}

interface DryStart extends DryRun {
  readonly name: string;
  /** How many living processes have the schedule. */
  readonly processes: number;
}

interface DryHold extends DryRun {
  readonly name: string;
  readonly until: number;
  /** The lock that is not free now. */
  readonly lock?: HeldLock;
}

interface DryPause extends DryRun {
  readonly name: string;
  readonly until?: number;
  readonly replaced?: Pause;
}

interface Resumed extends Partial<DryRun> {
  readonly name: string;
  readonly wasPaused: boolean;
  readonly next?: NextTick;
}

interface StartedMaintenance extends Partial<DryRun> {
  /** The pattern. */
  readonly names: string;
  readonly reason?: string;
  readonly author?: string;
  readonly until?: number;
  /** The names that it means, and the ids of their runs in progress. */
  readonly schedules: readonly string[];
  readonly queues: readonly string[];
  readonly runs: readonly string[];
  readonly replaced?: Maintenance;
  /** With --cancel: the runs that were asked to stop. */
  readonly stopped?: readonly string[];
}

interface DryCancel extends DryRun {
  readonly run: RunRecord;
  /** The pending attempt of the job. */
  readonly next?: PendingRetry;
}

interface NewHold extends HeldLock {
  /** Set if the name had no run, no lock and no schedule before. */
  readonly isNew?: true;
}

interface Paused {
  readonly name: string;
  readonly paused: true;
  readonly reason: string;
  readonly by: string;
  readonly until?: number;
  readonly replaced?: Pause;
}

interface DiscardedItems {
  readonly queue: string;
  /** The ids of the items. */
  readonly discarded: readonly string[];
  /** The ids of active items whose runs were asked to stop, and still run. */
  readonly stopping?: readonly string[];
  readonly reason: string;
}

interface PausedQueue {
  readonly queue: string;
  readonly paused: true;
  readonly reason: string;
  readonly by: string;
  readonly until?: number;
  readonly replaced?: QueuePause;
}

interface RemovedSchedule {
  readonly name: string;
  readonly removed: true;
  readonly reason: string;
  readonly by: string;
  /** How many living processes had it: their programs add it again when they start. */
  readonly processes: number;
}

interface Pruned extends Partial<DryRun> {
  /** How many runs were deleted. */
  readonly removed: number;
  /** How many entries of the audit were deleted. */
  readonly audits: number;
  /** Why the audit does not record it, such as a full store. */
  readonly unrecorded?: string;
}

type ImportedStore = Counts & {
  /** The kind of the store, when the export started, and the version of ojm that wrote it. */
  readonly from: Pick<Head, "store" | "at" | "ojm">;
  /**
   * Set if the fences of this store are below those of the imported runs: a system that stored one rejects
   * the runs of this store.
   */
  readonly lowerFences?: {
    /** The highest fence of the imported runs. */
    readonly imported: string;
    /** The fence that a run of this store would have got. */
    readonly here: string;
  };
};

interface PrintedError {
  readonly code: Exclude<keyof typeof EXIT, "ok" | "started" | "signal">;
  /** The exit code. */
  readonly exit: number;
  readonly message: string;
}
