import type {
  AuditEntry as CoreAuditEntry,
  HeldLock,
  Holder,
  JobSummary,
  LogLine,
  Maintenance,
  Progress,
  RunRecord,
  RunStatus,
  Waiter,
} from "@ojm/core";
import type { LogGap } from "@ojm/core/internal";
import type { ItemInfo, QueueCounts, QueuePause } from "@ojm/queue";
import type { NextTick, Pause } from "@ojm/schedule";

/*
 * The answers of the API. These types are its only description: the pages are compiled against them, and
 * `openapi.json` is generated from them and their docstrings. Values of the store have the types and the
 * names of @ojm/core and @ojm/queue, as in the command line. Times are in ms since 1970, durations in ms.
 */

export type HolderView = Holder;
export type WaiterView = Waiter;
export type ProgressView = Progress;
export type Status = RunStatus;

/** The actions. Each is a POST of the API, and needs a role. */
export type ActName =
  | "run-now"
  | "hold"
  | "pause"
  | "resume"
  | "backfill"
  | "stop-backfill"
  | "end-hold"
  | "unlock"
  | "cancel"
  | "maintenance"
  | "end-maintenance"
  | "queue-pause"
  | "queue-resume"
  | "queue-retry"
  | "queue-discard";

/** Why a request failed. */
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

/** How a user signs in: with the link that `ojm ui` prints, or with a name and a password. */
export type SignIn = "link" | "password";

/** The body of every answer that reports an error. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    /** With `UNAUTHORIZED`, unless the UI is mounted in another server. */
    readonly signIn?: SignIn;
  };
}

/** What was done, and to whom. */
export interface ActAnswer {
  readonly done: string;
  /** The id of the run that was started, or ended. */
  readonly run?: string;
  /** With `cancel`, and `discard` of an active item: the run was asked to stop, and is still running. */
  readonly pending?: boolean;
  readonly dryRun?: boolean;
}

/** What was done to each of several names, in order. */
export interface ManyAnswer {
  readonly results: readonly ManyResult[];
  readonly dryRun?: boolean;
}

/** What was done to one name, or why not. */
export interface ManyResult {
  /** The name, or the id of the run. */
  readonly name: string;
  readonly done?: string;
  readonly error?: string;
  readonly run?: string;
}

/** What a user may do: only read, also operate, or also take locks by force and discard items. */
export type Role = "read" | "operate" | "admin";

/** `GET api/v1/me`: the user, and what the server shows. */
export interface Me {
  readonly user: string;
  readonly role: Role;
  /** Absent if the UI is mounted in another server, which has the session. */
  readonly signIn?: SignIn;
  /** Whether every action is rejected, whatever the role. */
  readonly readOnly: boolean;
  /** The version of ojm that serves this. */
  readonly version: string;
  /** The store as text, without a password. */
  readonly store: string;
  /** The store as `ojm --store` names it, `***` for a password. Absent if the command line cannot open it. */
  readonly address?: string;
  /** The clock of the server, in ms since 1970. */
  readonly now: number;
  /** Whether the results of runs are shown. */
  readonly showResults: boolean;
  /** How long after its due time a tick without an outcome is overdue, in ms. */
  readonly overdueAfter: number;
}

/** An action of a user. `action`: such as `unlock`, `cancel`, `pause`; `end-hold` ended a hold. */
export type AuditEntry = Omit<CoreAuditEntry, "details">;

/** `GET api/v1/audit?before&limit&name&q`: newest first; `before` is a time. */
export interface Audit {
  readonly entries: readonly AuditEntry[];
  readonly more: boolean;
  /** For an empty list: a similar name, if no name is, or contains, the requested one. */
  readonly meant?: string;
}

/** Who holds a job for maintenance, until when, and why. */
export interface HoldView {
  readonly reason: string;
  readonly author?: string;
  readonly until?: number;
}

/** Until when a process has its locks unless it renews them, and when it last did. */
export interface Lease {
  readonly until: number;
  readonly renewed: number;
}

/** A lock that is held. */
export interface LockView extends Omit<HeldLock, "note"> {
  /** The first three waiters. */
  readonly waiters: readonly Waiter[];
  /** The id of the run that it is held for. */
  readonly run?: string;
  /** Set if a user holds it, for maintenance. */
  readonly hold?: HoldView;
  readonly lease?: Lease;
  /** Whether the holder's session has ended: the next run takes the lock over. */
  readonly gone: boolean;
}

/** A process that has locks, or waits for one. */
export interface InstanceView extends Holder {
  /** When its session started. */
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

/** A problem for an operator. */
export interface Problem {
  /**
   * - `failed`, `lost`, `timeout`: how the last run of the job ended.
   * - `orphaned`: the command of a run that has ended is still running.
   * - `overdue`: a tick was due a minute ago, and no process has decided on it. `unattended`: no living
   *   process runs the schedule. `orphaned-retry`: no process makes a pending attempt.
   * - `paused`, `held`: a user keeps it from running. `long`: it is running for longer than usual.
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
  /**
   * If it concerns several jobs, unattended for one reason or failed with equal errors: how many, and their
   * names by name, 200 at most. `text` is then that of the newest. `runs`: the ids of the runs that it
   * concerns, in the same order. `except`: those that `act` does not help.
   */
  readonly jobs?: {
    readonly n: number;
    readonly names: readonly string[];
    readonly runs?: readonly string[];
    readonly except?: readonly string[];
  };
  /** The id of the run that it concerns. */
  readonly run?: string;
  /** The action that helps, if one does: with `run-now`, send `again`. */
  readonly act?: ActName;
  /** The name is that of a queue: how many dead letters it has, 1,000 at most. */
  readonly queue?: { readonly dead: number };
}

/** A request to stop a run: who sent it, why, and when. */
export type StopRequest = Pick<CoreAuditEntry, "at" | "by" | "author" | "reason">;

/** A run in progress. */
export interface Running
  extends Pick<RunRecord, "id" | "name" | "startTime" | "attempt" | "trigger" | "holder" | "tick">,
    Pick<JobSummary, "usual"> {
  /** How long it had been running at `at` of the answer, in ms by the clock of the server. */
  readonly elapsed: number;
  readonly status: "running";
  readonly fence: string;
  readonly lease?: Lease;
  readonly progress?: Progress;
  /** How many runs wait for its lock. */
  readonly waiting: number;
  /** The last request to stop. Its job function has not obeyed so far. */
  readonly stopRequest?: StopRequest;
}

/** A tick of a schedule: a coming one, or one with its outcome. */
export interface TickView extends NextTick {
  readonly schedule: string;
  /**
   * Its outcome. Absent for a coming tick. `overdue`: it was due a minute ago, and no process has decided on
   * it. `waiting`: its run starts when the runs before it have ended.
   */
  readonly outcome?: "run" | "skipped" | "missed" | "refused" | "overdue" | "waiting";
  readonly reason?: string;
  /** The reason as text. */
  readonly text?: string;
  /** The id of its run. */
  readonly run?: string;
  /** The status of its run, on the page of its job. Absent if the record was deleted. */
  readonly status?: RunStatus;
  /** The id of the other run that kept it from running. The text names it. */
  readonly other?: string;
  /** A coming tick whose schedule no living process runs. */
  readonly unattended?: true;
  /** The last tick and their number, if the entry covers several in a row. */
  readonly until?: number;
  readonly count?: number;
}

/** The next attempt of a retry series whose last attempt failed. */
export interface RetryView {
  readonly name: string;
  /** The id of the first run of the retry series, which cancels it: `runs/ID/cancel`. */
  readonly chain: string;
  /** The number of the next attempt, from 2, and how many there may be. */
  readonly attempt: number;
  readonly attempts: number;
  readonly due: number;
  /** Set if no process makes it: its own is gone, and no living scheduler has a schedule of the name. */
  readonly orphaned?: true;
  /** Why the last attempt failed, at most 300 characters. */
  readonly error?: string;
}

/** A name whose lock has waiters: how many, and the first three of them. */
export interface WaitedView {
  readonly name: string;
  readonly waiting: number;
  readonly waiters: readonly Waiter[];
}

/** `GET api/v1/now`. */
export interface Now {
  readonly at: number;
  /** The current maintenance, the one that ends last first: no tick and no item of its names begins. */
  readonly maintenance: readonly Maintenance[];
  /** The worst first. */
  readonly problems: readonly Problem[];
  readonly running: readonly Running[];
  /** The names whose locks have waiters. */
  readonly waiting: readonly WaitedView[];
  /** The retry series that wait for their next attempt, the soonest first, 100 at most. */
  readonly retries: readonly RetryView[];
  /**
   * The next 24 hours, the soonest first: the next tick of each job, for 200 jobs at most, then the soonest
   * further ticks, up to 50 ticks in all.
   */
  readonly next: readonly TickView[];
  /**
   * How many jobs have a tick that is not skipped in each of 48 half hours from `at` on. It covers the 50
   * jobs that are due soonest.
   */
  readonly ahead: readonly number[];
  /** How many schedulers are alive. */
  readonly schedulers: number;
  /** Whether the store has no run, schedule or lock, and no scheduler is alive. */
  readonly empty: boolean;
  /** Whether there are more problems, runs, waiters or retries. Of the ticks, the soonest are shown. */
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
  /** Its newest run is an attempt of an item of the queue of this name: a hold does not stop these. */
  readonly queue?: true;
  /** When it is due next. */
  readonly next?: number;
  /** Why no process runs its schedule, as text. Absent if one does. */
  readonly unattended?: string;
  /** Its next tick will be skipped because a user holds the job. */
  readonly held?: true;
  /** Why its next tick will be skipped. */
  readonly skipped?: NonNullable<NextTick["skipped"]>;
  /** When its next tick that will be run is due. Absent while its pause has no end. */
  readonly nextRun?: number;
  /** Its ticks that were due a minute ago, but are undecided: the first, the last, and their number. */
  readonly overdue?: { readonly at: number; readonly until: number; readonly count: number };
  readonly last?: LastRun;
  /** When the last completed run ended. */
  readonly lastWell?: number;
  /** The id of the run in progress. */
  readonly running?: string;
  /** When that run started. */
  readonly runningSince?: number;
  /** Since when its lock is held. With `hold`: by a user, not by a process. */
  readonly lock?: { readonly since: number; readonly hold?: HoldView };
  /** The share of its last 50 attempts without an error, from 0 to 1: each attempt of a series counts. */
  readonly rate?: number;
  /** The last 30 ended runs, oldest first. */
  readonly outcomes: readonly Outcome[];
  /** What it usually took in the last seven days, and in the seven days before. In the list of jobs. */
  readonly trend?: Trend;
}

/** How a run ended, and its duration, to three digits. */
export type Outcome = readonly [status: RunStatus, duration: number];

/**
 * The usual duration of a job in two weeks, if it completed three times in each: the median of the means of
 * the hours, which for a job that runs once an hour or less is the median of its runs.
 */
export interface Trend {
  readonly week: number;
  readonly before: number;
}

/**
 * `GET api/v1/jobs?limit&after&q&state&host&sort`: by name, or with `sort=slower` those first that became the
 * slowest, in comparison with the week before. At most 2,000 names can be sorted.
 */
export interface Jobs {
  readonly jobs: readonly Job[];
  /** How many jobs there are, and how many of them have the requested text, states and host. */
  readonly total: number;
  readonly found: number;
  /** Whether more jobs follow: request them with `after`, the name of the last one. */
  readonly more: boolean;
  /** Set if runs of the two weeks are not all counted yet, so that trends are missing. Request it again. */
  readonly counting?: true;
}

/** `GET api/v1/jobs/NAME?from&to`: with a range of time, only ticks in that range. */
export interface JobDetail extends Job {
  /** The definition of the schedule, as JSON. */
  readonly definition?: { readonly [field: string]: unknown };
  /**
   * The next 10 ticks, the soonest first, then the last 20 with their outcomes, or 100 with a range, the
   * latest first.
   */
  readonly ticks: readonly TickView[];
  /** The last 100 ended runs, oldest first. */
  readonly course: readonly CoursePoint[];
  /** What changed since the first of them, oldest first. */
  readonly marks: readonly Mark[];
}

/** An ended run. Its start time and the name of the job make its id. */
export type CoursePoint = readonly [startTime: number, status: RunStatus, duration: number];

/** A change that may explain why a job runs otherwise since. */
export interface Mark {
  readonly at: number;
  /** An action of the audit, such as `pause`, or a `new-definition`, or a `new-version` of ojm or Node. */
  readonly what: string;
  /** Who did it and why, or what is new. */
  readonly text: string;
}

/** Why a job does not run now, or did not run, or why a run ended as it did. */
export interface ReasonView {
  /**
   * `ready`, `paused`, `blackout`, `maintenance-window`,
   * `unattended`, `overdue`, `running`, `locked`, `kept`, `maintenance`,
   * `queue`, `permit`, `rate`, `waiting`, `backfill`, `retry`, `last`, `never`, `tick`, `next`,
   * `unscheduled`, `unreadable`, `orphaned` or `refused`; of a queue those of `QueueReason`;
   * about the past also `no-tick`, `ahead`, `ended-by`, `late`, `attempt`, `slow`, `usual` and `before`.
   */
  readonly code: string;
  readonly text: string;
  /** When it happened, or will happen. */
  readonly at?: number;
  /** The id of the run that it concerns. */
  readonly run?: string;
  /** With `last` and others about a run: how that run ended. */
  readonly status?: RunStatus;
  /** With `retry`: the number of the pending attempt. `run` is then the first run of its retry series. */
  readonly attempt?: number;
  /** The action that helps. */
  readonly act?: ActName;
  /** A remedy that is not an action of the API, as text. */
  readonly help?: string;
}

/** `GET api/v1/jobs/NAME/why?at&run`: the most important reason first. */
export interface Why {
  readonly name: string;
  readonly reasons: readonly ReasonView[];
  /** The next tick that will be run. */
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

/** A run in a list. Its error has at most 300 characters. */
export type RunItem = Pick<
  RunRecord,
  "id" | "name" | "status" | "startTime" | "endTime" | "duration" | "trigger" | "attempt" | "tick" | "holder" | "error"
>;

/** `GET api/v1/runs?name&q&status&host&from&to&before&limit`: newest first. */
export interface Runs {
  readonly runs: readonly RunItem[];
  readonly more: boolean;
  /** The id of the last one, for `before` of the next page. Absent without `more`. */
  readonly before?: string;
  /** For an empty list: a similar name, if no name is, or contains, the requested one. */
  readonly meant?: string;
}

/** The record of a run. It has `args`, `meta` and `result` only if `showResults` of `me` is set. */
export interface RunDetail extends RunRecord {
  /** Whether it has a result that is hidden. */
  readonly resultHidden?: boolean;
}

/** `GET api/v1/runs/ID`. */
export interface RunPage {
  readonly run: RunDetail;
  /** The runs of its retry series, the first one first, including this one. Empty if it has no retries. */
  readonly attempts: readonly RunItem[];
  /** The pending attempt of its retry series, if any. */
  readonly next?: RetryView;
  /** The last request to stop it, unless its record says that a cancel ended it: see `endedBy`. */
  readonly stopRequest?: StopRequest;
  /** The last completed run of the job before this one. */
  readonly lastWell?: RunItem;
  /** The newest run of the job, if it is another one. */
  readonly newest?: RunItem;
  /** Why the job does not run now; only for the newest run. */
  readonly why: readonly ReasonView[];
  readonly log: {
    /** How many lines were written so far; absent if the store has none. */
    readonly lines?: number;
    /** Whether no more lines will come. */
    readonly ended: boolean;
  };
  readonly progress?: Progress;
  /** What keeps the job from a run on request: no schedule, no process that runs it, or a hold. */
  readonly job: { readonly scheduled: boolean; readonly unattended?: string; readonly held?: true };
}

/** An item in the log of a run: a line, or a place where lines are missing. */
export type LogItem = LogLine | LogGap;

/**
 * `GET api/v1/runs/ID/log?tail&after&limit`: the items after line `after`, `limit` at most; with `tail`, the
 * last ones of the log.
 */
export interface LogPage {
  readonly items: readonly LogItem[];
  /** Whether more lines follow. */
  readonly more: boolean;
}

/** A queue, its items by state, and its workers. `more`: there are more items than were counted. */
export interface QueueView extends QueueCounts {
  readonly name: string;
  readonly paused?: QueuePause;
}

/** `GET api/v1/queues?limit&after&q`: by name. Counts at most 1,000 items in each state. */
export interface Queues {
  readonly at: number;
  readonly queues: readonly QueueView[];
  /** Whether more queues follow: request them with `after`, the name of the last one. */
  readonly more: boolean;
}

/** The attempts of a queue that began in one minute, by their present status. */
export interface QueueMinute {
  /** When the minute begins. */
  readonly at: number;
  readonly runs: Counts;
}

/** Dead letters whose errors are equal, apart from numbers and ids in hex. */
export interface DeadGroup {
  /** What `retry` and `discard` of the queue take as `error`. */
  readonly key: string;
  readonly count: number;
  /** The error of the newest one, at most 300 characters. */
  readonly error: string;
  /** The id of the newest one. */
  readonly item: string;
  /** When the first and the last one of them became a dead letter. */
  readonly first: number;
  readonly last: number;
}

/** `GET api/v1/queues/NAME`. Counts at most 10,000 items in each state. */
export interface QueueDetail extends QueueView {
  readonly at: number;
  /** The options of the queue, as JSON. */
  readonly definition: { readonly [field: string]: unknown };
  /** Of the last 60 minutes, those in which an attempt began, the oldest first. The depth is not stored. */
  readonly minutes: readonly QueueMinute[];
  /** The range in which attempts are not, or not all, counted yet. Request it again. */
  readonly missing?: Missing;
  /** How its items stand, as in `ojm why`, the most important reason first. */
  readonly reasons: readonly ReasonView[];
  /** The largest group first, 50 at most, of the first 1,000 dead letters. */
  readonly errors: readonly DeadGroup[];
  /** Whether `errors` leaves out dead letters. */
  readonly truncated: boolean;
}

/** An item in a list. Its error has at most 300 characters. */
export type QueueItem = Omit<ItemInfo, "data" | "meta" | "queue" | "batch" | "next">;

/**
 * `GET api/v1/queues/NAME/items?state&limit`: `active`, `waiting`, `delayed`, then `dead`. Those that wait
 * have the order in which they are taken.
 */
export interface QueueItems {
  readonly items: readonly QueueItem[];
  readonly more: boolean;
}

/** An item. It has `data` and `meta` only if `showResults` of `me` is set. */
export interface QueueItemDetail extends QueueItem {
  readonly data?: unknown;
  readonly meta?: { readonly [key: string]: unknown };
  /** Newer data of an active item, for one more attempt after the present one. */
  readonly next?: { readonly data?: unknown; readonly due?: number };
  /** Whether its data is hidden. */
  readonly dataHidden?: boolean;
}

/** `GET api/v1/queues/NAME/items/ID`. */
export interface QueueItemPage {
  readonly at: number;
  readonly item: QueueItemDetail;
  /** Why it waits, if it does. */
  readonly reasons: readonly ReasonView[];
  /** The last 10 of its runs whose records are stored, the oldest first. */
  readonly attempts: readonly RunItem[];
}

/** How many runs have each status. A status without runs is absent. */
export type Counts = { readonly [S in RunStatus]?: number };

/**
 * Runs of a name that are drawn as one bar: start, end, worst status, and number of runs. Then the id, if it
 * is one run that is fully known, or the number of runs by status, if statuses differ. A running run ends
 * now. If a name has many runs, a bar covers a minute or an hour in which they started: the first one may
 * count runs that started a moment before `from`.
 */
export type Bar = readonly [start: number, end: number, status: RunStatus, count: number, more?: string | Counts];

/** The runs and ticks of a name. */
export interface Lane {
  readonly name: string;
  /** Oldest first. */
  readonly bars: readonly Bar[];
  /** The ticks that were not run, and the coming ones. */
  readonly ticks: readonly TickView[];
  /** What people did, and when its schedule was last changed, oldest first. Absent if nothing changed. */
  readonly marks?: readonly Mark[];
}

/** `GET api/v1/timeline?from&to&px&limit&after&q`. Runs closer than a pixel, `(to − from) / px`, merge. */
export interface Timeline {
  readonly from: number;
  readonly to: number;
  /** By name. */
  readonly lanes: readonly Lane[];
  /** Whether more lanes follow: request them with `after`, the name of the last one. */
  readonly more: boolean;
  /**
   * The range in which started runs are not, or not all, counted yet: a store with many records is counted
   * once. Request it again. Absent if no run is left out.
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
 * is opaque: a client that reconnects with it as `Last-Event-ID` gets what it missed, including lines of
 * logs, or `reset`. After `hello` of a new stream, and after `reset`, a `running` with `all` follows: a run
 * that is not in it is not running. `log` may be repeated, up to 10 times, and `after` in the same order: the
 * stream sends the lines after that one; without `after`, all lines.
 */
export interface Events {
  readonly hello: { readonly epoch: string; readonly at: number };
  /** Changes of the running runs. With `all`, it has all running runs. */
  readonly running: {
    readonly at: number;
    readonly all?: boolean;
    readonly put: readonly Running[];
    readonly gone: readonly string[];
  };
  /** A run of one of these names started or ended, a tick was decided, or a pause began or ended. */
  readonly changed: { readonly at: number; readonly names: readonly string[] };
  /** More of the log of a run. `ended`: no more lines will come. */
  readonly log: { readonly id: string; readonly items: readonly LogItem[]; readonly ended?: boolean };
  /** The store is away: the shown data is of `since`. */
  readonly stale: { readonly since: number };
  readonly fresh: { readonly at: number };
  /** The missed events are lost: read everything again. */
  readonly reset: { readonly at: number };
}

/** The answers of the endpoints, by id: `act` is the answer of each POST, and `error` of each failure. */
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
  readonly queues: Queues;
  readonly queue: QueueDetail;
  readonly items: QueueItems;
  readonly item: QueueItemPage;
  readonly locks: Locks;
  readonly audit: Audit;
  readonly events: Events;
  readonly act: ActAnswer;
  readonly many: ManyAnswer;
  readonly error: ErrorBody;
}
