import type {
  AuditEntry as CoreAuditEntry,
  HeldLock,
  Holder,
  JobSummary,
  LogLine,
  Progress,
  RunRecord,
  RunStatus,
  Waiter,
} from "@ojm/core";
import type { LogGap } from "@ojm/core/internal";
import type { NextTick, Pause } from "@ojm/schedule";

/*
 * What the API answers. These types are the one description of it: the pages are compiled against them, and
 * `openapi.json` is made of them, with what is said here of each field. What is a value of the store has the
 * type and the words of @ojm/core, as the command line has. Times are in ms since 1970, durations in ms.
 */

export type HolderView = Holder;
export type WaiterView = Waiter;
export type ProgressView = Progress;
export type Status = RunStatus;

/** What can be done about something. Each is a POST of the API, and needs a role. */
export type ActName =
  | "run-now"
  | "hold"
  | "pause"
  | "resume"
  | "backfill"
  | "stop-backfill"
  | "end-hold"
  | "unlock"
  | "cancel";

/** Why a request was not answered as it was asked. */
export type ErrorCode =
  | "INVALID"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "DENIED"
  | "NOT_FOUND"
  | "METHOD"
  | "CONFLICT"
  | "LIMIT"
  | "AWAY"
  | "FAULT";

/** The body of every answer that is no success. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string };
}

/** What was done, and to whom. */
export interface ActAnswer {
  readonly done: string;
  /** The id of the run that was started, or ended. */
  readonly run?: string;
  /** With `cancel`: the run was asked to stop, and is still running. */
  readonly pending?: boolean;
  readonly dryRun?: boolean;
}

/** What somebody may do: look, also operate, also take locks by force. */
export type Role = "read" | "operate" | "admin";

/** `GET api/v1/me`: who asks, and what they look at. */
export interface Me {
  readonly user: string;
  readonly role: Role;
  /** Whether every act is refused, whatever the role. */
  readonly readOnly: boolean;
  /** The version of ojm that serves this. */
  readonly version: string;
  /** The store in words, without a password. */
  readonly store: string;
  /**
   * The store as `ojm --store` names it, with `***` for a password. Absent if the command line cannot open
   * it.
   */
  readonly address?: string;
  /** The clock of the server, in ms since 1970. */
  readonly now: number;
  /** Whether the results of runs are shown. */
  readonly showResults: boolean;
}

/** Something that somebody did. `action`: such as `unlock`, `cancel`, `pause`; `end-hold` ended a hold. */
export type AuditEntry = Omit<CoreAuditEntry, "details">;

/** `GET api/v1/audit?before&limit&name&q`: newest first; `before` is a time. */
export interface Audit {
  readonly entries: readonly AuditEntry[];
  readonly more: boolean;
  /** Of an empty list: a name that is near, if none is or has in it what was asked for. */
  readonly meant?: string;
}

/** Who holds a job for maintenance, until when, and why. */
export interface HoldView {
  readonly reason: string;
  readonly author?: string;
  readonly until?: number;
}

/** Until when a process has its locks unless it renews them, and when it did so last. */
export interface Lease {
  readonly until: number;
  readonly renewed: number;
}

/** A lock that is held. */
export interface LockView extends Omit<HeldLock, "note"> {
  /** The first three that wait. */
  readonly waiters: readonly Waiter[];
  /** The id of the run that it is held for. */
  readonly run?: string;
  /** If a person holds it, for maintenance. */
  readonly hold?: HoldView;
  readonly lease?: Lease;
  /** Whether the holder's process is gone: the next run takes the lock over. */
  readonly gone: boolean;
}

/** A process that has locks, or waits for one. */
export interface InstanceView extends Holder {
  /** When its session began. */
  readonly since?: number;
  readonly lease?: Lease;
  /** How many locks it has. */
  readonly locks: number;
}

/** A process that runs schedules. */
export interface SchedulerItem extends Holder {
  /** How many schedules it has, and the first 100 of their names. */
  readonly schedules: number;
  readonly names: readonly string[];
}

/** `GET api/v1/locks`. */
export interface Locks {
  readonly at: number;
  /** By name; 500 at most. */
  readonly locks: readonly LockView[];
  readonly instances: readonly InstanceView[];
  readonly schedulers: readonly SchedulerItem[];
  readonly truncated: boolean;
}

/** Something that an operator should look at. */
export interface Problem {
  /**
   * - `failed`, `lost`, `timeout`: how the last run of the job ended.
   * - `orphaned`: the command of a run that is over goes on.
   * - `overdue`: a tick was due a minute ago, and no process has decided on it. `unattended`: no process is
   * there   that runs the schedule. `orphaned-retry`: no process makes an attempt that is to come.
   * - `paused`, `held`: a person keeps it from running. `long`: it runs for longer than it usually does.
   * - `ignores-cancel`: a run is still running a minute after it was asked to stop.
   */
  readonly kind:
    | "orphaned"
    | "ignores-cancel"
    | "unattended"
    | "orphaned-retry"
    | "lost"
    | "failed"
    | "timeout"
    | "overdue"
    | "long"
    | "held"
    | "paused";
  readonly name: string;
  /** Since when, in ms since 1970. Absent if that is not known. */
  readonly at?: number;
  readonly text: string;
  /** All that it is about, if that is several jobs: how many, and their names, 200 at most, by name. */
  readonly jobs?: { readonly n: number; readonly names: readonly string[] };
  /** The id of the run that it is about. */
  readonly run?: string;
}

/** A request to stop a run: who sent it, why, and when. */
export type StopRequest = Pick<CoreAuditEntry, "at" | "by" | "author" | "reason">;

/** A run that goes on. */
export interface Running
  extends Pick<RunRecord, "id" | "name" | "startTime" | "attempt" | "trigger" | "holder" | "tick">,
    Pick<JobSummary, "usual"> {
  /** For how long it ran at `at` of the answer, in ms by the clock of the server. */
  readonly elapsed: number;
  readonly status: "running";
  readonly fence: string;
  readonly lease?: Lease;
  readonly progress?: Progress;
  /** How many runs wait for its lock. */
  readonly waiting: number;
  /** The last request to stop. Its body has not obeyed so far. */
  readonly asked?: StopRequest;
}

/** A tick of a schedule: one that is to come, or what became of one. */
export interface TickView extends NextTick {
  readonly schedule: string;
  /**
   * What became of it. Absent if it is to come. `overdue`: it was due a minute ago, and no process has
   * decided. `waiting`: its run begins when those before it have ended.
   */
  readonly outcome?: "run" | "skipped" | "missed" | "refused" | "overdue" | "waiting";
  readonly reason?: string;
  /** The reason in words. */
  readonly text?: string;
  /** The id of its run. */
  readonly run?: string;
  /** The status of its run, on the page of its job. Absent if the record is deleted. */
  readonly status?: RunStatus;
  /** The id of another run, for which it was not run. The text names it. */
  readonly other?: string;
  /** It is to come, and no process is there that runs its schedule. */
  readonly unattended?: true;
  /** The last tick, and how many there are, if the entry is about several in a row. */
  readonly until?: number;
  readonly count?: number;
}

/** The next attempt of a chain whose last one failed. */
export interface RetryView {
  readonly name: string;
  /** The id of the first run of the chain, by which it is cancelled: `runs/ID/cancel`. */
  readonly chain: string;
  /** The number of the next attempt, from 2, and how many there may be. */
  readonly attempt: number;
  readonly attempts: number;
  readonly due: number;
  /** Set if no process makes it: its own is gone, and no living scheduler has a schedule of the name. */
  readonly orphaned?: true;
  /** Why the last one failed. At most 300 characters of it. */
  readonly error?: string;
}

/** A name whose lock others wait for: how many do, and the first three of them. */
export interface WaitedView {
  readonly name: string;
  readonly waiting: number;
  readonly waiters: readonly Waiter[];
}

/** `GET api/v1/now`. */
export interface Now {
  readonly at: number;
  /** The worst first. */
  readonly problems: readonly Problem[];
  readonly running: readonly Running[];
  /** The names whose lock others wait for. */
  readonly waiting: readonly WaitedView[];
  /** The chains that wait for their next attempt, the soonest first, 100 at most. */
  readonly retries: readonly RetryView[];
  /**
   * The next 24 hours, the soonest first: the next tick of each job, for 200 jobs at most, and the soonest of
   * the others up to 50 ticks in all.
   */
  readonly next: readonly TickView[];
  /**
   * How many jobs have a tick that is not skipped in each of 48 half hours from `at` on: those of the 50 jobs
   * that are due soonest.
   */
  readonly ahead: readonly number[];
  /** How many schedulers live. */
  readonly schedulers: number;
  /** Whether the store has no run, no schedule and no lock, and no scheduler lives. */
  readonly empty: boolean;
  /** Whether more is wrong, runs, waits or is tried again than is shown. Ticks: the soonest are shown. */
  readonly truncated: boolean;
}

/** When a job is due. */
export interface JobSchedule {
  /** `At 02:00 (Europe/Lisbon)`. */
  readonly words: string;
  readonly timeZone: string;
  readonly cron?: string;
  /** The ms between two ticks. */
  readonly every?: number;
  readonly paused?: Pause;
}

/** How a run ended. */
export type LastRun = Pick<RunRecord, "id" | "status" | "startTime" | "endTime" | "duration" | "error">;

/** A job that has a record, a schedule or a lock. */
export interface Job extends Pick<JobSummary, "name" | "usual">, Partial<Pick<JobSummary, "streak">> {
  readonly schedule?: JobSchedule;
  /** When it is due next. */
  readonly next?: number;
  /** Why no process runs its schedule, in words. Absent if one does. */
  readonly unattended?: string;
  /** Its next tick will be skipped, as a person holds the job. */
  readonly held?: true;
  /** Why its next tick will be skipped. */
  readonly skipped?: NonNullable<NextTick["skipped"]>;
  /** When its next tick is due that will be run. Absent while its pause has no end. */
  readonly nextRun?: number;
  /**
   * Its ticks that were due a minute ago, and that no process has decided on: the first one, the last one,
   * how many.
   */
  readonly overdue?: { readonly at: number; readonly until: number; readonly count: number };
  readonly last?: LastRun;
  /** When the last run ended that completed. */
  readonly lastWell?: number;
  /** The id of the run that goes on. */
  readonly running?: string;
  /** When that one began. */
  readonly runningSince?: number;
  /** Since when its lock is held. With `hold`, by a person, and not by a process. */
  readonly lock?: { readonly since: number; readonly hold?: HoldView };
  /** The share of its last 50 attempts that ended well, from 0 to 1: each attempt of a chain counts. */
  readonly rate?: number;
  /** The last 20 that completed, oldest first. */
  readonly durations: readonly number[];
}

/** `GET api/v1/jobs?limit&after&q`: by name. */
export interface Jobs {
  readonly jobs: readonly Job[];
  /** Whether there are jobs after these: ask again with `after`, the name of the last one. */
  readonly more: boolean;
}

/** `GET api/v1/jobs/NAME?from&to`: with a range of time, its ticks are those of that time. */
export interface JobDetail extends Job {
  /** The definition of the schedule, as JSON. */
  readonly definition?: { readonly [field: string]: unknown };
  /** The next 10, and what became of the last 20, of a range of time 100; the latest first. */
  readonly ticks: readonly TickView[];
}

/** Why a job does not run now. */
export interface ReasonView {
  /**
   * `ready`, `paused`, `blackout`, `unattended`, `overdue`, `running`, `locked`, `kept`, `maintenance`,
   * `queue`, `waiting`, `backfill`, `retry`, `last`, `never`, `tick`, `next`, `unscheduled`, `orphaned` or
   * `refused`.
   */
  readonly code: string;
  readonly text: string;
  /** When it happened, or will. */
  readonly at?: number;
  /** The id of the run that it is about. */
  readonly run?: string;
  /** With `last`: how that run ended. */
  readonly status?: RunStatus;
  /** With `retry`: the number of the attempt that is due. `run` is then the first run of its chain. */
  readonly attempt?: number;
  /** What can be done about it. */
  readonly act?: ActName;
  /** What helps that cannot be done from here, in words. */
  readonly help?: string;
}

/** `GET api/v1/jobs/NAME/why`: the most important reason first. */
export interface Why {
  readonly name: string;
  readonly reasons: readonly ReasonView[];
  /** The next tick that is run. */
  readonly next?: number;
}

/** `GET api/v1/zones?limit&after`: the time zones of the schedules, by name. */
export interface Zones {
  readonly zones: readonly {
    readonly name: string;
    /** Such as `Europe/Berlin`. */
    readonly timeZone: string;
  }[];
  readonly more: boolean;
}

/** A run in a list. Of its error, at most 300 characters. */
export type RunItem = Pick<
  RunRecord,
  "id" | "name" | "status" | "startTime" | "endTime" | "duration" | "trigger" | "attempt" | "tick" | "holder" | "error"
>;

/** `GET api/v1/runs?name&q&status&from&to&before&limit`: newest first. */
export interface Runs {
  readonly runs: readonly RunItem[];
  readonly more: boolean;
  /** The id of the last one, for `before` of the next page. Absent without `more`. */
  readonly before?: string;
  /** Of an empty list: a name that is near, if none is or has in it what was asked for. */
  readonly meant?: string;
}

/**
 * The record of a run. If results are hidden, without `args`, `meta` and `result`: see `showResults` of `me`.
 */
export interface RunDetail extends RunRecord {
  /** Whether there is a result that is hidden. */
  readonly resultHidden?: boolean;
}

/** `GET api/v1/runs/ID`. */
export interface RunPage {
  readonly run: RunDetail;
  /** The runs of its chain of attempts, the first one first; itself among them. Empty if there is none. */
  readonly attempts: readonly RunItem[];
  /** The next attempt of its chain, if it waits for one. */
  readonly next?: RetryView;
  /** The last request to stop it, unless its record says that a cancel ended it: see `endedBy`. */
  readonly asked?: StopRequest;
  /** The last run of the job before this one that completed. */
  readonly lastWell?: RunItem;
  /** Why the job does not run now; of the newest run only. */
  readonly why: readonly ReasonView[];
  readonly log: {
    /** How many lines were written so far; absent if none is kept. */
    readonly lines?: number;
    /** Whether no more will come. */
    readonly ended: boolean;
  };
  readonly progress?: Progress;
  /**
   * What keeps its job from another run on request: that it has no schedule, that no process runs it, a hold.
   */
  readonly job: { readonly scheduled: boolean; readonly unattended?: string; readonly held?: true };
}

/** Something in the log of a run: a line, or a place where lines are missing. */
export type LogItem = LogLine | LogGap;

/**
 * `GET api/v1/runs/ID/log?tail&after&limit`: the items after line `after`, `limit` at most; with `tail` the
 * last ones of the log.
 */
export interface LogPage {
  readonly items: readonly LogItem[];
  /** Whether more lines come after these. */
  readonly more: boolean;
}

/** How many runs of each status. One that no run has is absent. */
export type Counts = { readonly [S in RunStatus]?: number };

/**
 * Runs of a name that are drawn as one bar: from, to, the worst status of them, and how many. Then the id, if
 * it is one run of which all is known; or how many of each status, if they differ. A run that is running ends
 * now. Where a name has many runs, a bar is a minute or an hour in which they began: the first one may count
 * runs that began a moment before `from`.
 */
export type Bar = readonly [start: number, end: number, status: RunStatus, count: number, more?: string | Counts];

/** The runs and ticks of a name. */
export interface Lane {
  readonly name: string;
  /** Oldest first. */
  readonly bars: readonly Bar[];
  /** Those that were not run, and those to come. */
  readonly ticks: readonly TickView[];
}

/**
 * `GET api/v1/timeline?from&to&px&limit&after&q`. Runs closer than a pixel, `(to − from) / px`, are merged.
 */
export interface Timeline {
  readonly from: number;
  readonly to: number;
  /** By name. */
  readonly lanes: readonly Lane[];
  /** Whether there are lanes after these: ask again with `after`, the name of the last one. */
  readonly more: boolean;
  /**
   * The runs that began in this part are not counted yet, or not all of them: a store with many records is
   * counted once. Ask again. Absent if no run is left out.
   */
  readonly missing?: Missing;
}

/** A range of time, in ms since 1970. */
export interface Missing {
  readonly from: number;
  readonly to: number;
}

/**
 * The events of `GET api/v1/events?log=ID&after=LINE`, a stream of server-sent events. `data` is JSON. `id`
 * is opaque: whoever reconnects with it as `Last-Event-ID` gets what it missed, lines of logs too, or
 * `reset`. After `hello` of a new stream, and after `reset`, comes a `running` with `all`: what is not in it
 * does not run. `log` may be repeated, up to 10 times, and `after` in the same order: the lines after that
 * one come; without it all of them.
 */
export interface Events {
  readonly hello: { readonly epoch: string; readonly at: number };
  /** Changes of what runs. With `all`, it is everything that runs. */
  readonly running: {
    readonly at: number;
    readonly all?: boolean;
    readonly put: readonly Running[];
    readonly gone: readonly string[];
  };
  /** A run of these names began or ended, a tick was decided, or a pause began or ended. */
  readonly changed: { readonly at: number; readonly names: readonly string[] };
  /** More of the log of a run. `ended`: no more will come. */
  readonly log: { readonly id: string; readonly items: readonly LogItem[]; readonly ended?: boolean };
  /** The store is away: what is shown is of `since`. */
  readonly stale: { readonly since: number };
  readonly fresh: { readonly at: number };
  /** What was missed is not known any more: read all anew. */
  readonly reset: { readonly at: number };
}

/** The answers of the endpoints, by their ids: `act` is that of each POST, and `error` of each that fails. */
export interface Answers {
  readonly me: Me;
  readonly now: Now;
  readonly timeline: Timeline;
  readonly jobs: Jobs;
  readonly job: JobDetail;
  readonly why: Why;
  readonly runs: Runs;
  readonly run: RunPage;
  readonly log: LogPage;
  readonly zones: Zones;
  readonly locks: Locks;
  readonly audit: Audit;
  readonly events: Events;
  readonly act: ActAnswer;
  readonly error: ErrorBody;
}
