import type { Channel, ChannelOps } from "../channel/channel.js";
import type { JsonValue } from "../channel/encoding/json.js";
import type { ChannelError } from "../channel/errors.js";
import type { CallOptions, CommitResult, InTransaction, Op, OpenOptions, Version } from "../channel/types.js";
import type { HeldLock, Holder, Waiter } from "../locks/types.js";
import type { Clock } from "../util/clock.js";
import type { Duration, InMs } from "../util/duration.js";
import type { LogBudgetOptions } from "./logs/logs.js";
import type { RunLog } from "./logs/types.js";
import type { RunRef } from "./run-id.js";

/**
 * The status of a run. `skipped`: its body found nothing to do, or handed the run over. `lost`: its process
 * died, or its lock was lost or taken.
 *
 * The record of a later version of ojm may have another text: give each `switch` over a status a default.
 */
export type RunStatus = "running" | "completed" | "skipped" | "failed" | "timeout" | "cancelled" | "lost";

/**
 * The record of a run. The jobs channel stores it under the key `{ name, startTime }`. Times are in ms since
 * 1970.
 */
export interface RunRecord {
  readonly name: string;
  readonly startTime: number;
  /** `startTime` in ISO 8601, UTC. It has three digits of a second, and six if the time has µs. */
  readonly startDate: string;
  /** The id of the run: `name@startDate`. See {@link runId}. */
  readonly id: string;
  readonly status: RunStatus;
  readonly holder: Holder;
  /** The reason for the start: `"manual"`, `"schedule"`, `"launch"`, or any text of the program. */
  readonly trigger: string;
  /** The longest time that the run may take, in ms. */
  readonly timeout: number;
  /** The name of its lock, if that is not the name of the run: see {@link RunOptions.lock}. */
  readonly lock?: string;
  /** The permits that it had, and their limits as the caller gave them: see {@link RunOptions.permits}. */
  readonly permits?: { readonly [permit: string]: number };
  /** The rate of which it has a token: see {@link RunOptions.rate}. */
  readonly rate?: RateTerms;
  /** The versions of ojm and of Node that ran it. Absent in records of older versions of ojm. */
  readonly versions?: { readonly ojm: string; readonly node: string };
  /** The schedule that the run was started for. */
  readonly schedule?: string;
  /** The tick of that schedule, in ms since 1970. */
  readonly tick?: number;
  /** How long after its tick the run started, in ms. Never below zero. */
  readonly delay?: number;
  /** The number of the attempt in its retry series, from 1. Only with {@link RunOptions.retry}. */
  readonly attempt?: number;
  /** The id of the first run of the retry series, if the run is a later attempt. */
  readonly chain?: string;
  /** The retry policy of the series. */
  readonly retry?: RetryPolicy;
  /** The parameters that the caller gave: see {@link RunOptions.args}. */
  readonly args?: { readonly [key: string]: JsonValue };
  /** The small map that the caller gave: see {@link RunOptions.meta}. */
  readonly meta?: { readonly [key: string]: JsonValue };
  /** The fencing token of the run: the version of its lock. */
  readonly fence?: string;
  readonly endTime?: number;
  readonly endDate?: string;
  /** The ms from `startTime`, without its µs, to `endTime`. Never below zero. */
  readonly duration?: number;
  /** True for every end but `completed` and `skipped`. */
  readonly inError?: boolean;
  /** Why the run did not complete, in words. */
  readonly error?: string;
  /** The stack of the error and of its causes, if the body threw an `Error`. At most 10,000 characters. */
  readonly stack?: string;
  /** Who ended the run from outside, and why. */
  readonly endedBy?: EndedBy;
  /**
   * Set if the run was handed over, see {@link Run.handOver}. Its status is `skipped`, and its `error` is the
   * reason. Another run of its retry series makes the same attempt.
   */
  readonly handedOver?: true;
  /**
   * How the command of the run ended: by its exit code, or by a signal such as `SIGKILL`. Set by `ojm exec`,
   * by shell scripts of job files, and by {@link Run.exited}. Absent if the command did not start, or if the
   * run was over before it.
   */
  readonly exit?: { readonly code?: number; readonly signal?: string };
  /**
   * The nearest JSON of the value that the body returned. Bigint, `NaN` and `Infinity` become texts, a `Map`
   * becomes a map, a `Set` a list, an `Error` a text; functions and the like are left out. Absent if nothing
   * is left, or if it is too large for the store. A process warning (`OJM_RESULT`) reports the lost parts.
   */
  readonly result?: JsonValue;
}

/** How a run that does not complete is retried. See {@link RunOptions.retry}. */
export interface RetryOptions {
  /** The most attempts in all, from 1 to 100. */
  readonly attempts: number;
  /** The time between an attempt and the next one. Default: one minute. */
  readonly delay?: Duration;
  /** `exponential`: each delay is twice the one before, up to `maxDelay`. Default: `exponential`. */
  readonly backoff?: "fixed" | "exponential";
  /** The longest delay, seven days at most. Default: one hour. */
  readonly maxDelay?: Duration;
  /**
   * Whether a lost run is retried too: its process died, or it lost its lock. Default: false, because its
   * body may have done a part of its work.
   */
  readonly onLost?: boolean;
}

/** A {@link RetryOptions} with all its defaults, and with its durations in ms. */
export type RetryPolicy = Required<InMs<RetryOptions>>;

/** The next attempt of a retry series, as it is in the store until it begins. */
export interface PendingRetry {
  readonly name: string;
  /** The id of the first run of the retry series. */
  readonly chain: string;
  /** The number of this attempt: from 2, or that of the run that was handed over. */
  readonly attempt: number;
  /** Set if the previous run was handed over: this attempt is made at once. */
  readonly handedOver?: true;
  /** When it is due, in ms since 1970. */
  readonly due: number;
  readonly retry: RetryPolicy;
  /** The process that makes the attempt. Once it is gone, or if there is none, any process may. */
  readonly by?: Holder;
  /** Why the previous attempt did not complete. */
  readonly error?: string;
  readonly trigger: string;
  readonly timeout: number;
  readonly lock?: string;
  readonly permits?: { readonly [permit: string]: number };
  readonly rate?: RateTerms;
  readonly schedule?: string;
  readonly tick?: number;
  readonly args?: { readonly [key: string]: JsonValue };
  readonly meta?: { readonly [key: string]: JsonValue };
}

/** Who ended a run from outside. */
export interface EndedBy {
  /** `cancel`: it was requested to stop. `unlock`: its lock was removed by force. */
  readonly action: "cancel" | "unlock";
  readonly by: Holder;
  /** The person behind that process, if known. */
  readonly author?: string;
  readonly reason: string;
  /** See {@link CancelOptions.giveBack}. */
  readonly giveBack?: true;
}

/** Options of {@link openJobManager}. */
export interface JobManagerOptions {
  /** The store of the run records. Default: in memory. */
  readonly chJobs?: OpenOptions;
  /**
   * The store of the locks. Default: in memory. Use the store of `chJobs` if possible: start and end of a run
   * are then one step each.
   */
  readonly chLocks?: OpenOptions;
  /** The store of the logs of runs. It is opened with the first line. Default: the store of `chJobs`. */
  readonly chLogs?: OpenOptions;
  /** How much of a run's log is kept. Default: by the store, see docs/reference/typescript/logs.md. */
  readonly logBudget?: LogBudgetOptions;
  /** Time to live of the session. The locks of a hung or lost process are free after it. Default: 15 s. */
  readonly ttl?: Duration;
  /**
   * Whether a second thread keeps the locks of this process while its main thread is busy for longer than
   * `ttl`, until the `timeout` of each run. Without it, a body that blocks the event loop that long loses its
   * lock. Default: true.
   *
   * The thread costs about 8 MB, and one connection once the main thread is late. It needs a channel that
   * another thread can open: its type is found by name, and its args are plain data and contain no client.
   */
  readonly heartbeatThread?: boolean;
  /**
   * Which records of ended runs the store keeps. About once a day, one of the processes that share the store
   * deletes all other records and their logs. `false`: none are deleted. Default: {@link RetentionOptions}.
   *
   * The setting belongs to the store: programs without this option follow it, and of several programs with
   * it, the one that was opened last decides. `{}` restores the default. In a store without a setting, the
   * first records are deleted a day after the first program began its housekeeping.
   */
  readonly retention?: RetentionOptions | false;
  /** Time and chance, replaced in simulations. */
  readonly clock?: Clock;
}

/** Which records of ended runs a store keeps. See {@link JobManagerOptions.retention}. */
export interface RetentionOptions {
  /**
   * Runs that ended longer ago than this are deleted, but only if runs have begun on as many different days
   * since then. So a wrong wall clock cannot delete the history. Default: 90 days.
   */
  readonly olderThan?: Duration;
  /** This many of the newest runs of each name stay, however old they are; at least one. Default: 100. */
  readonly keep?: number;
}

/** Options of {@link JobManager.history}. */
export interface HistoryOptions extends CallOptions {
  /** Only the runs of this name, or of these. */
  readonly name?: string | readonly string[];
  /** Only runs that began at this time or later, in ms since 1970. */
  readonly from?: number;
  /** Only runs that began before this time, in ms since 1970. */
  readonly to?: number;
  /**
   * Only runs that come after this one in the history, which begins with the newest: the id of a run, or its
   * record. With the last record of one page, the next page begins where that one ended.
   */
  readonly before?: string | RunRef;
  /** Only runs with this status, or with one of these. */
  readonly status?: RunStatus | readonly RunStatus[];
  /** Only runs whose {@link RunOptions.meta} has these fields, with these values. */
  readonly meta?: { readonly [key: string]: JsonValue };
  /** The most records. */
  readonly limit?: number;
}

/** Options of {@link JobManager.failedRuns} and {@link JobManager.failedJobs}. */
export interface FailedRunsOptions extends CallOptions {
  /** Only runs that ended at this time or later, in ms since 1970. */
  readonly from?: number;
  /** Only runs that ended before this time, in ms since 1970. */
  readonly to?: number;
  /** The most records. */
  readonly limit?: number;
}

/** Options of {@link JobManager.prune}. */
export interface PruneOptions extends CallOptions {
  /** Only runs that ended longer ago than this. */
  readonly olderThan: Duration;
  /** Only runs of this name. */
  readonly name?: string;
  /** This many of the newest runs and audit entries of each name stay, however old they are. Default: 0. */
  readonly keep?: number;
  /**
   * The person who deletes them. If set, the audit records the prune and its counts: under the name, or under
   * `*` for all names. Without it, as in a program that prunes each night, there is no audit record.
   */
  readonly author?: string;
}

/** A time at which a schedule is due. */
export interface Tick {
  /** The name of the schedule. Two schedules may start runs of the same job. */
  readonly schedule: string;
  /** In ms since 1970. */
  readonly at: number;
}

/** The name of a run that is about to start, and its process. */
export interface StartingRun {
  readonly id: string;
  readonly name: string;
  readonly startTime: number;
  readonly holder: Holder;
}

/**
 * Checks and writes that belong to the start of a run. They are in the commit that takes its lock: the run
 * starts if they are applied, and only then. A scheduler claims its ticks in this way. Its channels must be
 * in the store of the locks: see {@link JobManager.channel}.
 *
 * If records and locks are in two stores, the record comes after that commit. If the process dies in between,
 * a check by another process writes the record as `lost`.
 *
 * @example
 * const orders = await manager.channel<{ state: string }>("orders");
 * const order = await orders.entry(4711);
 * await manager.run("ship", ship, {
 *   claim: {
 *     ops: ({ id }) => {
 *       const ops = [{ check: 4711, version: order.version }, { put: 4711, value: { state: id } }];
 *       return [{ channel: orders, ops }];
 *     },
 *     refused: () => Promise.reject(new Error("another process ships this order")),
 *   },
 * });
 */
export interface StartClaim {
  /** The tick that the run is for, for its record. */
  readonly tick?: Tick;
  /** The checks and writes. Called for each attempt to take the lock. */
  ops(run: StartingRun): readonly ChannelOps<unknown>[];
  /**
   * Called when the lock was not taken. One of these checks may have failed: read their entries again, and
   * throw if the run must not start. `run` then rejects with that error. If it does not throw and the lock is
   * free, the run tries again to take it.
   */
  refused(): Promise<void>;
  /**
   * Returns the ops that undo the writes, for the commit that releases the lock. Called only with two stores,
   * if the store of the records rejected the record. If a check among these ops fails, the lock is released
   * without them. `version`: that of the writes of `ops`.
   */
  undo?(run: StartingRun, version: Version): readonly ChannelOps<unknown>[];
  /**
   * Returns ops for the commit that releases the lock of the run. `record`: the end of the run. If one of
   * their checks fails, nothing is applied: the run is closed as failed, and this is called again with that
   * end. If that fails too, the lock is released without ops. The run of a process that dies has none.
   */
  end?(record: RunRecord): readonly ChannelOps<unknown>[];
  /**
   * Called if a check of the ops of `end` failed. Reads again what they check, and resolves to whether it has
   * changed: `end` is then called again with the same end. Default: false.
   */
  endRefused?(): Promise<boolean>;
}

/**
 * Which earlier starts of the same name keep a run from starting: those with the same `per`, or with the same
 * `key`. A run without this option prevents no other run, and is never prevented.
 *
 * A start counts whatever the outcome of its run: a failed run is not repeated in its window.
 */
export type OnceOptions =
  | {
      /**
       * The window: a run starts only if none has started within nine tenths of it, by the clock of the
       * store. The tenth is for machines that start a few seconds apart, and for days of 23 hours.
       */
      readonly per: Duration;
    }
  | {
      /** The purpose of the run, such as a tick or the date of a report. */
      readonly key: string;
      /** How long a start counts, by the clock of the store. */
      readonly keep: Duration;
    };

/** How often runs may begin: see {@link RunOptions.rate}. */
export interface RateOptions {
  /** The name that the runs share. At most 200 characters. */
  readonly name: string;
  /** The most runs that begin in a window, from 1 to 10,000. */
  readonly max: number;
  /** The window, from 1 ms to 30 days. */
  readonly per: Duration;
}

/** {@link RateOptions} with the window in ms. */
export interface RateTerms extends RateOptions {
  readonly per: number;
}

/** Options of {@link JobManager.run} and {@link JobManager.start}. */
export interface RunOptions {
  /**
   * The name of the lock, if it is not that of the run. Runs of different names with one lock exclude each
   * other, and runs of one name with different locks run at the same time. All programs that run a job must
   * agree on its lock: see docs/understand/how-a-run-works.md.
   *
   * @example
   * await manager.run("mail", send, { lock: "smtp" });
   */
  readonly lock?: string;
  /**
   * Limits how many runs have a permit at once, over all names and processes: for each permit, the most runs
   * that may have it. A run takes one of each together with its lock, and returns them with it. Runs with the
   * same permits start in order of arrival. A limit set by {@link JobManager.limit} replaces the number given
   * here. At most 8 permits, and 1,000 of each.
   *
   * @example
   * await manager.run(`order/${id}`, charge, { permits: { stripe: 10, "tenant/42": 2 }, wait: "10m" });
   */
  readonly permits?: { readonly [permit: string]: number };
  /**
   * Limits how many runs begin, over all names and processes that give a rate of this name: at most `max` in
   * any window of `per`, by the clock of the store. A run takes its token together with its lock, and keeps
   * it however it ends. A run that does not start takes none. Runs of one process that wait start in order of
   * arrival, and processes take turns.
   *
   * @example
   * await manager.run(`mail/${id}`, send, { rate: { name: "smtp", max: 100, per: "1m" }, permitWait: "1h" });
   */
  readonly rate?: RateOptions;
  /** How long to wait for the permits and the rate. With 0, a single attempt. Default: as `wait`. */
  readonly permitWait?: Duration;
  /** The longest time that the run may hold its lock. Default: one hour. */
  readonly timeout?: Duration;
  /**
   * How long to wait for the lock. With 0, a single attempt. Default: 2.5 s, as in job files: two runs that
   * are started at once run one after the other. `Locks.acquire` alone does not wait by default.
   */
  readonly wait?: Duration;
  /** The reason for the start, for the record. At most 1,000 characters. Default: `"manual"`. */
  readonly trigger?: string;
  /**
   * The parameters of this run: the job function reads them from {@link Run.args}, and each further attempt
   * gets the same. The record contains them, so keep secrets elsewhere. At most 4,096 bytes as JSON.
   *
   * @example
   * await manager.run("import", ({ args }) => importDay(args["day"]), { args: { day: "2026-11-01" } });
   */
  readonly args?: { readonly [key: string]: JsonValue };
  /**
   * A small map for the record, such as the customer or the file that the run is about. At most 4,096 bytes
   * as JSON.
   */
  readonly meta?: { readonly [key: string]: JsonValue };
  /**
   * Tries again if the body throws, or takes longer than `timeout`. Each attempt is a run of its own, with a
   * record. Between two attempts the lock is free. The pending attempt is in the store: if this process dies,
   * the next {@link JobManager.run} of the name with `retry` and without `once`, in any process, continues
   * this retry series instead of starting a new one.
   *
   * An attempt does not begin before the previous body is over in this process: a body that ignores its
   * signal delays its retry series. A run that is cancelled, skipped, or unlocked by force is not retried.
   * Only for `run`, not for `start`.
   */
  readonly retry?: RetryOptions;
  /**
   * Starts the run only if no other run of the name has started for the same window or key. The commit that
   * takes the lock checks it. Otherwise `run` rejects with `STARTED`. With `retry`, only the first attempt is
   * checked. To run until one has completed, and to get its result: {@link JobManager.once}.
   *
   * @example
   * await manager.run("report", report, { once: { per: "1h" } });
   * await manager.run("report", report, { once: { key: "2026-11", keep: "40d" } });
   */
  readonly once?: OnceOptions;
  /** @internal Extra checks and writes, applied atomically with taking the lock. */
  readonly claim?: StartClaim;
  /**
   * @internal Which ends the store keeps a record of: default `all`. For the others, the commit that ends the
   * run deletes its record. If another process ends it, its record stays. With records and locks in two
   * stores, all records stay.
   */
  readonly record?: RecordedEnds;
  /** Cancels the wait for the lock, and the run. */
  readonly signal?: AbortSignal;
  /**
   * Cancels only the wait for the lock. If the store has already given the lock to the run, and only its
   * answer is still missing, the run begins anyway: no other process would do the work that the run may have
   * claimed.
   */
  readonly waitSignal?: AbortSignal;
  /** @internal Runs that are closed together, before their manager: what `JobManager.group` returned. */
  readonly group?: object;
}

/** The runs whose records stay after their ends: all, those that end in error, or none. */
export type RecordedEnds = "all" | "failed" | "none";

/** Options of {@link JobManager.once}. */
export interface OnceCallOptions
  extends Pick<
    RunOptions,
    | "timeout"
    | "wait"
    | "permits"
    | "permitWait"
    | "rate"
    | "retry"
    | "trigger"
    | "args"
    | "meta"
    | "signal"
    | "waitSignal"
  > {
  /** How long the key stays done, and its result stored, by the clock of the store. */
  readonly keep: Duration;
  /** @internal As in {@link RunOptions}. */
  readonly claim?: StartClaim;
}

/** The result of {@link JobManager.once}. */
export interface OnceOutcome<T> {
  /** Whether this call has run its body. */
  readonly first: boolean;
  /** What the body returned. If `first` is false: the JSON of what the body of the first call returned. */
  readonly result: T;
  /** The record of the run that completed the key; `undefined` if it was pruned. */
  readonly record: RunRecord | undefined;
}

/** Options of `JobManager.takeOver`. */
export interface TakeOverOptions extends Pick<RunOptions, "signal"> {
  /** @internal As in {@link RunOptions}. */
  readonly group?: object;
  /** Called with the attempt that this process makes, if there is one, before its wait begins. */
  readonly onTaken?: (next: PendingRetry) => void;
}

/** A run from its start to its end. */
export interface Run {
  readonly name: string;
  readonly startTime: number;
  /** The id of the run: `name@startDate`. All queries about a run accept it. */
  readonly id: string;
  /** The name of its lock: that of the run, unless {@link RunOptions.lock} names another one. */
  readonly lock: string;
  /** The number of the attempt in its retry series: 1, unless {@link RunOptions.retry} made it. */
  readonly attempt: number;
  /** The id of the first run of the retry series. */
  readonly chain: string;
  /**
   * The tick of a schedule that the run is for. A late or retried run is still for that time. `undefined` for
   * a run without a schedule.
   *
   * @example
   * const day = new Date(run.tick?.at ?? run.startTime);
   */
  readonly tick: Tick | undefined;
  /**
   * The parameters of the run, from {@link RunOptions.args} or from a requested run of its schedule. A copy;
   * `{}` if there are none, as at a tick.
   *
   * @example
   * const day = String(run.args["day"] ?? yesterday());
   */
  readonly args: { readonly [key: string]: JsonValue };
  /**
   * The fencing token. Pass it to every system that the run writes to, and let that system reject a lower
   * token than it has seen.
   *
   * @see https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html
   */
  readonly fence: string;
  /**
   * Fires when the run must stop: its timeout passed, its lock was lost or taken, it was cancelled, or its
   * process closes. Its reason is a {@link RunError}. With `CLOSING`, the lock is held until the job function
   * returns, or until the grace is over: see {@link JobManager.close}.
   */
  readonly signal: AbortSignal;
  /**
   * Fires when the run no longer has its lock although it is not over: the lock was lost or taken, or the
   * timeout passed. `signal` fires only once, so after an ignored cancel only this one still fires. Then end
   * everything that the job function started, at once, because another run may begin. Its reason is a
   * {@link RunError} `LOST` or `TIMEOUT`.
   *
   * @example
   * run.lost.addEventListener("abort", () => child.kill("SIGKILL"));
   */
  readonly lost: AbortSignal;
  /** The log of the run: see {@link JobManager.log}. A run that writes no line pays nothing for it. */
  readonly log: RunLog;
  /**
   * Sets the progress of the run, for {@link JobManager.progress}. Call it as often as you like: it returns
   * at once, never throws, and writes to the store at most once a second.
   *
   * @example
   * run.progress(rows, 10_000, "copying rows");
   */
  progress(done: number, total?: number, text?: string): void;
  /**
   * Records how the command of the run ended, as Node reports it. The end of the run writes it: a later call
   * replaces it, and after the end a call has no effect.
   *
   * @throws RunError `INVALID` if `code` is not a whole number, or `signal` is not a text
   * @example
   * child.once("exit", (code, signal) => run.exited(code, signal));
   */
  exited(code: number | null, signal?: string | null): void;
  /**
   * Throws unless the run may continue, by the local clock. Costs no call to the store.
   *
   * @throws RunError `TIMEOUT`, `LOST`, `CANCELLED`, `CLOSING` or `ENDED`
   */
  assertHeld(): void;
  /**
   * Applies `ops` to a channel, all or nothing, only if this run still holds its lock in the store. The check
   * and the writes are one commit, so a late write of a run that lost its lock fails. The channel must be in
   * the store of the locks: opened with the same type and args as `chLocks`.
   *
   * @returns as {@link Channel.commit}
   * @throws RunError if the run is over; nothing was written. ChannelError `NOT_SUPPORTED` if the channel is
   * in another store: pass `fence` to it instead
   * @example
   * await run.fenced(reports, [{ put: "2026-11", value: report }]);
   */
  fenced<V>(channel: Channel<V>, ops: readonly Op<V>[], options?: CallOptions): Promise<CommitResult<V>>;
  /**
   * Joins `ops` to a transaction of the caller, so that effects and entries commit together. The caller's
   * COMMIT applies them, or fails if the run no longer holds its lock then.
   *
   * @throws ChannelError `NOT_SUPPORTED` for another store
   * @example
   * await run.fenced(reports, [{ put: "2026-11", value: report }], { transaction: client });
   */
  fenced<V>(channel: Channel<V>, ops: readonly Op<V>[], options: InTransaction): Promise<undefined>;
  /**
   * Closes the record as `completed` and releases the lock. If the store is away, repeats that until the
   * timeout or the end of the session, for one `ttl` at most.
   *
   * If the store is full, it rejects at once with `FULL`. The record is then closed once there is room, as
   * `lost` with that reason, while this process lives.
   *
   * @throws RunError `TIMEOUT`, `LOST`, `CANCELLED` or `ENDED` if the run was already over; ChannelError if
   * the store fails
   */
  end(result?: unknown): Promise<RunRecord>;
  /**
   * Joins the end of the run to a transaction of the caller, so that effects and record commit together.
   * Resolves to the record that COMMIT will write. The lock is held until then. COMMIT fails if the run no
   * longer holds its lock then. After a rollback the run is still active. If the outcome of COMMIT is
   * unknown, the run ends as the store says.
   *
   * @throws as {@link Run.end}; ChannelError `NOT_SUPPORTED` for a store that joins no transactions
   */
  end(result: unknown, options: InTransaction): Promise<RunRecord>;
  /**
   * Closes the record as `failed`, with the text of the error, and releases the lock. Throws like
   * {@link Run.end}. `status`: `timeout` if the caller ended the work itself because it took too long.
   */
  fail(error: unknown, options?: { readonly status?: "failed" | "timeout" }): Promise<RunRecord>;
  /**
   * Closes the record as `skipped`, with the reason, and releases the lock: the body found nothing to do,
   * which is not a failure. Throws like {@link Run.end}.
   */
  skip(reason: string): Promise<RunRecord>;
  /**
   * Ends the run and leaves its work to another process: closes the record as `skipped`, with `handedOver`
   * and the reason, and releases the lock. It is not a failure, and uses up no attempt: from that commit on,
   * the same attempt is pending in the store. A scheduler of another process makes it within a second;
   * without a schedule, the next `run` of the name with `retry` does. Throws like {@link Run.end}.
   *
   * @example
   * for (const file of files) {
   *   if (run.signal.aborted) return run.handOver("a deploy");
   *   await copy(file);
   * }
   */
  handOver(reason: string): Promise<RunRecord>;
  /** Fires `signal`, closes the record as `cancelled`, and releases the lock. Throws like {@link Run.end}. */
  cancel(reason?: string): Promise<RunRecord>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The result of a run that completed. */
export interface Outcome<T> {
  readonly result: T;
  readonly record: RunRecord;
}

/** Why a job does not run now. See {@link JobManager.why}. */
export interface Reason {
  /**
   * - `running`: it is already running. `locked`: its lock is held without a run, or by the run of
   *   another name.
   * - `maintenance`: a person holds it, see {@link JobManager.hold}.
   * - `queue`: runs wait for its lock.
   * - `permit`: all permits of a name are taken that its last run had, or for which its first run waits, see
   *   {@link RunOptions.permits}.
   * - `rate`: as many runs have begun as the rate of its last run allows, or that for which its first run
   *   waits, see {@link RunOptions.rate}.
   * - `retry`: an attempt is due, or will be.
   * - `once`: a run has started, and keeps others of its window or key from starting, see
   *   {@link RunOptions.once}; or the key of the last run is done, see {@link JobManager.once}.
   * - `last`: how the last run ended. `never`: no run is stored.
   */
  readonly code:
    | "running"
    | "locked"
    | "maintenance"
    | "queue"
    | "permit"
    | "rate"
    | "retry"
    | "once"
    | "last"
    | "never";
  /** The reason in words, safe to show on a terminal. */
  readonly text: string;
  /** The evidence. */
  readonly lock?: HeldLock;
  readonly run?: RunRecord;
  readonly next?: PendingRetry;
  /**
   * The end of `text` about an attempt whose process is gone: see {@link JobManager.orphanedRetries}. The
   * `why` of a scheduler leaves it out if a living scheduler takes the attempt over.
   */
  readonly orphaned?: string;
  /** The last request to stop the run, which is still running. */
  readonly stopRequest?: AuditEntry;
  /** With `queue`: the first ten waiters. */
  readonly waiters?: readonly Waiter[];
}

/** A summary of a job, from its newest 50 runs. See {@link JobManager.jobs}. */
export interface JobSummary {
  readonly name: string;
  /** The active run. */
  readonly running?: RunRecord;
  /** The run that ended last. */
  readonly last?: RunRecord;
  /**
   * The usual duration in ms, from those of its last 20 runs that completed: half of them took no longer than
   * `p50`, and 19 of 20 no longer than `p95`. The UI, the command line and the problems that ojm finds all
   * use these values.
   */
  readonly usual?: { readonly p50: number; readonly p95: number };
  /**
   * How many runs in a row ended well; below zero, how many in a row ended in error. A retry series counts
   * once, and a cancelled or skipped run does not count.
   */
  readonly streak: number;
}

/** Options of {@link JobManager.cancel}. */
export interface CancelOptions {
  /** Why the run must stop, for the record and for the body. At most 1,000 characters. */
  readonly reason: string;
  /** The person who cancels it, for the record and the audit. At most 1,000 characters. */
  readonly author?: string;
  /**
   * Whether the audit records it. Default: true. A program that cancels by a rule of its own, and not for a
   * person, passes `false`: the record of the run still names the cancel. Then it cancels an active run only,
   * not a pending attempt.
   */
  readonly audited?: boolean;
  /**
   * Whether the item of a queue waits again once its run has ended, and the attempt does not count. Default:
   * false, it becomes a dead letter. For a run that is not of a queue, this changes nothing.
   */
  readonly giveBack?: boolean;
  /** How long to wait for the end of the run. Default: 10 s. */
  readonly wait?: Duration;
  /** Ends the wait. The run stays cancelled. */
  readonly signal?: AbortSignal;
}

/** The result of a cancel. */
export interface CancelOutcome {
  /** Whether there was a run, or a pending attempt, to cancel. */
  readonly requested: boolean;
  /** Whether the run is over. If not, its body continues, or its process does not answer. */
  readonly ended: boolean;
  /** The record of the run, as last read. */
  readonly run?: RunRecord;
}

/** Options of {@link JobManager.hold}. */
export interface HoldOptions {
  /** Why the job must not run, for rejected runs. At most 1,000 characters. */
  readonly reason: string;
  /** The person who holds it, for rejected runs. */
  readonly author?: string;
  /** When it ends by itself, in ms since 1970. Default: in 24 hours. */
  readonly until?: number;
  /** How long to wait for the active run. Default: 0. */
  readonly wait?: Duration;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** A time in which no tick and no item of these names begins, in any process. */
export interface Maintenance {
  /** The names of the jobs and queues: a pattern, in which `*` stands for any characters. */
  readonly names: string;
  readonly reason: string;
  /** The person, or the program, that started it. */
  readonly by: string;
  /** In ms since 1970. */
  readonly at: number;
  /** When it ends by itself, in ms since 1970. */
  readonly until?: number;
}

/** Options of {@link JobManager.startMaintenance}. */
export interface MaintenanceOptions {
  /** The names of the jobs and queues, `*` for any characters. Default: `*`, all. */
  readonly names?: string;
  /** Why, for all who wait for its end. At most 1,000 characters. */
  readonly reason: string;
  /** The person who starts it. Default: the host and process. */
  readonly author?: string;
  /** When it ends by itself, in ms since 1970. Default: never. */
  readonly until?: number;
}

/** Options of {@link JobManager.endMaintenance}. */
export interface EndMaintenanceOptions {
  /** Only the maintenance that was started with exactly these names. Default: all. */
  readonly names?: string;
  /** Why, and by which person, for the audit. */
  readonly reason?: string;
  readonly author?: string;
}

/** Options of {@link JobManager.unlock}. */
export interface UnlockOptions {
  /** Why the lock is taken, for its holder and the audit. */
  readonly reason: string;
  /** The person who takes it. At most 1,000 characters. */
  readonly author?: string;
  /**
   * The fence of the expected lock. If another lease has the lock by now, nothing is done: its run is not the
   * one to stop.
   */
  readonly fence?: Version;
}

/** An action of a person, as the audit records it. */
export interface AuditAction {
  /**
   * `unlock`, `cancel`, `hold`, `limit`, `prune`, `maintenance`, `end-maintenance`; of a schedule, `pause`,
   * `resume`, `run-now` … The audit records an unlock that ended a hold as `end-hold`.
   */
  readonly action: string;
  /** The job, the lock or the schedule; `*` for all of them. */
  readonly name: string;
  readonly reason?: string;
  /** The acting process. */
  readonly by: Holder;
  /** The person behind that process. */
  readonly author?: string;
  /** Details, such as how long a pause lasts. */
  readonly details?: JsonValue;
}

/** A run that waits in line for permits or a rate. See {@link JobQueries.limitWaiters}. */
export interface LimitWaiter {
  /** The name of the run. */
  readonly name: string;
  /** What it waits for. Of several, it takes all at once, and waits behind others that take the same. */
  readonly permits?: readonly string[];
  readonly rate?: string;
  /** The start of its wait, in ms since 1970 by its own wall clock. */
  readonly since?: number;
}

/** A permit that has a limit, a holder or a waiter. See {@link JobQueries.permits}. */
export interface PermitView {
  readonly name: string;
  /** The limit that {@link JobManager.limit} set, if any. Without one, each run counts with its own. */
  readonly limit?: number;
  /** How many runs have it, and the ids of those that this version of ojm knows. */
  readonly held: number;
  readonly runs: readonly string[];
  /** How many runs wait for it. */
  readonly waiting: number;
}

/** Who sets a limit, and why. See {@link JobManager.limit}. */
export interface LimitOptions {
  readonly reason?: string;
  /** The person. */
  readonly author?: string;
}

/** An entry of the audit. See {@link JobManager.audit}. */
export interface AuditEntry extends AuditAction {
  /** In ms since 1970, by the clock of the acting process. */
  readonly at: number;
  /** The process whose lock or run was affected. */
  readonly holder?: Holder;
  /** The fencing token of the lock that was taken. */
  readonly fence?: string;
  /** The id of its run. */
  readonly run?: string;
}

/** Options of {@link JobManager.audit}. */
export interface AuditOptions extends CallOptions {
  /** Only actions on this job, lock or schedule. */
  readonly name?: string;
}

/** The result of a prune. */
export interface PruneOutcome {
  /** The number of deleted runs. */
  readonly removed: number;
  /** The number of deleted audit entries, if any. */
  readonly audits?: number;
  /**
   * Set if the audit does not record the prune: the error of the store, such as `FULL`. The records are
   * deleted all the same.
   */
  readonly unrecorded?: ChannelError;
}

/** The result of a forced unlock. */
export interface UnlockOutcome {
  /** False if no lock of this name was held, or if its lease had another fence than the requested one. */
  readonly unlocked: boolean;
  /** The holder that lost the lock. */
  readonly holder?: Holder;
  /** The run that ended with the lock. Its record is now closed as `cancelled`. */
  readonly run?: RunRecord;
}
