import type { Channel } from "../channel/channel.js";
import type { CallOptions } from "../channel/types.js";
import type { LocksValue } from "../locks/entries/schema.js";
import type { HeldLock, Waiter, WaitersOptions } from "../locks/types.js";
import type { ActiveRun, FollowRunsOptions, LiveRuns, LiveSource } from "../operator/live-runs.js";
import type { RollupQueries } from "../operator/rollups/queries.js";
import type { Rollups, RollupsOptions } from "../operator/rollups/types.js";
import { checkedDuration, type Duration } from "../util/duration.js";
import { refusing } from "./errors.js";
import type { LogItem, LogOptions, Progress } from "./logs/types.js";
import { readMaintenance } from "./maintenance.js";
import { operatorPart } from "./operator-part.js";
import type { RunContext } from "./run/context.js";
import type { RunRef } from "./run-id.js";
import type {
  AuditEntry,
  AuditOptions,
  FailedRunsOptions,
  HistoryOptions,
  JobSummary,
  LimitWaiter,
  Maintenance,
  PermitView,
  Reason,
  RunRecord,
} from "./types.js";

/** What the queries read. */
export interface QuerySource {
  readonly context: RunContext;
  readonly channels: { readonly jobs: Channel<RunRecord>; readonly locks: Channel<LocksValue> };
  rollups(): Promise<RollupQueries>;
}

/** The queries of a {@link JobManager}: which runs are active or over, and why. None changes a run. */
export abstract class JobQueries {
  /** @internal */
  protected abstract readonly source: QuerySource;

  /**
   * The records of one name, or of all names, newest first. Reads only as many records as the caller takes.
   * Skips entries that are not records: any program can write into the channel.
   *
   * With a `name`, the records are read one by one to match `status` and `meta`. Without a name, an index
   * finds the runs that ended in error, however many others are in between.
   *
   * Without a name, it returns the records that managers wrote. It finds them by an index of start times,
   * which the same commits write. A store of an older version of ojm is indexed once, in the background.
   * Until then, and in a Redis Cluster without a hash tag, this reads every name.
   *
   * @throws ChannelError `INVALID_ARGUMENT`, or if the store fails
   * @example
   * for await (const { name, status } of manager.history({ from: Date.now() - 3_600_000 })) {
   *   console.log(name, status);
   * }
   */
  async *history(options: HistoryOptions = {}): AsyncGenerator<RunRecord, void, undefined> {
    const { selectRecords } = await operatorPart();
    yield* selectRecords(this.source.context, options);
  }

  /**
   * The runs that ended in error, of all names, the latest end first. `from` and `to` limit their ends. Reads
   * only as many records as the caller takes, however many runs went well in between.
   *
   * It finds them by an index, which is written by the commits that close the records. The index lacks the
   * runs that an older version of ojm closed. A Redis Cluster without a hash tag has no such index.
   *
   * @throws ChannelError `INVALID_ARGUMENT`, or if the store fails
   */
  async *failedRuns(options: FailedRunsOptions = {}): AsyncGenerator<RunRecord, void, undefined> {
    const { checkRange, failedRunsOf } = await operatorPart();
    yield* failedRunsOf(this.source.channels.jobs, this.source.context.index, checkRange(options));
  }

  /**
   * The jobs whose last run ended in error: that run of each, the latest end first. Checks the `limit` jobs
   * that failed last (default: 100). A run that is running, skipped or cancelled does not count: the one
   * before it does. `from` (default: 7 days ago) limits the ends, as in {@link JobQueries.failedRuns}.
   *
   * A job that fails each second does not hide others: if there are many failures,
   * {@link JobQueries.rollups} find the other failed jobs. Of those, runs that took longer than a day may
   * be missing.
   *
   * @throws ChannelError `INVALID_ARGUMENT`, or if the store fails
   * @example
   * const from = Date.now() - 3_600_000;
   * for (const { name, error } of await manager.failedJobs({ from })) console.log(name, error);
   */
  async failedJobs(options: Omit<FailedRunsOptions, "to"> = {}): Promise<RunRecord[]> {
    const { failedJobs } = await operatorPart();
    const { context, channels } = this.source;
    const { index, clock } = context;
    const rollups = await this.source.rollups();
    return failedJobs({ jobs: channels.jobs, index, rollups, now: clock.now() }, options);
  }

  /**
   * The last run of each job that completed, ordered by name. Runs that were skipped do not count. A job that
   * never completed is left out, and so is one whose last success was pruned.
   *
   * Reads the 5 newest runs of each job. If none of them completed, the rollups give the hour of the last one
   * that did, however many runs have failed since.
   *
   * @throws ChannelError if the store fails
   * @example
   * for await (const { name, endDate } of manager.lastSuccesses()) console.log(name, endDate);
   */
  async *lastSuccesses(options: CallOptions = {}): AsyncGenerator<RunRecord, void, undefined> {
    const { lastSuccesses } = await operatorPart();
    const { context, channels } = this.source;
    const rollups = await this.source.rollups();
    yield* lastSuccesses({ jobs: channels.jobs, rollups, now: context.clock.now() }, options);
  }

  /**
   * The log of a run: its lines, and the gaps where lines are missing. `run`: the record or the id of the
   * run, in this process or any other.
   *
   * With `follow`, it continues until the run is over and its last line was read, or `signal` fires. It waits
   * for a store that goes away meanwhile.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails
   * @example
   * for await (const item of manager.log("import@2026-11-25T02:00:00.000Z", { follow: true })) {
   *   if ("text" in item) console.log(new Date(item.at).toISOString(), item.level, item.text);
   *   else if ("missing" in item) console.log("… lines are missing:", item.missing);
   * }
   */
  async *log(run: string | RunRef, options: LogOptions = {}): AsyncGenerator<LogItem, void, undefined> {
    const { logOf } = await operatorPart();
    yield* logOf(this.source.context, run, options);
  }

  /**
   * The latest progress of a run, as set by {@link Run.progress}; `undefined` if there is none. To follow it,
   * use {@link JobManager.log} with `progress` and `follow`.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails
   */
  async progress(run: string | RunRef, options: CallOptions = {}): Promise<Progress | undefined> {
    const { progressOf } = await operatorPart();
    return progressOf(this.source.context.logs, run, options);
  }

  /**
   * Waits for the end of a run in any process. Resolves to its record. After `timeout`, or when `signal`
   * fires, resolves to the record as it is then. Resolves to `undefined` if the run does not exist. Without
   * `timeout` it waits for as long as it takes.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails
   * @example
   * const record = await manager.wait("import@2026-11-25T02:00:00.000Z", { timeout: "1m" });
   */
  async wait(
    run: string | RunRef,
    { timeout, signal }: CallOptions & { readonly timeout?: Duration } = {},
  ): Promise<RunRecord | undefined> {
    const wait = longestWait(timeout);
    const { waitForEnd } = await operatorPart();
    const { channels, context } = this.source;
    return waitForEnd(run, { jobs: channels.jobs, clock: context.clock, wait, signal });
  }

  /**
   * Waits until the attempt after a run of a retry series has begun, in any process. Resolves to its record;
   * if several have begun, to that of the last one. Resolves to `undefined` if none follows, and after
   * `timeout` or when `signal` fires, even if one is still to come. {@link JobManager.retries} returns when
   * it is due.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails
   * @example
   * let record = await manager.wait("import@2026-11-25T02:00:00.000Z");
   * for (let next = record; next !== undefined; next = await manager.nextAttempt(next)) {
   *   record = await manager.wait(next);
   * }
   */
  async nextAttempt(
    run: RunRecord,
    { timeout, signal }: CallOptions & { readonly timeout?: Duration } = {},
  ): Promise<RunRecord | undefined> {
    const wait = { timeout: longestWait(timeout), signal };
    const { nextAttemptOf } = await operatorPart();
    return nextAttemptOf(this.source.context, run, wait);
  }

  /**
   * The current maintenance, the one that ends last first: see {@link JobManager.startMaintenance}.
   *
   * @throws ChannelError if the store fails
   */
  async maintenance(): Promise<Maintenance[]> {
    const { lockChannel, clock } = this.source.context;
    return readMaintenance(lockChannel, clock.now());
  }

  /**
   * Why a job does not run now: it is already running, its lock is held, an attempt is not due yet, or how it
   * ended last. The most important reason comes first, each with its evidence. Reads a few entries, however
   * many runs are stored. `takes`: the permits and the rate of the next run, if they are known to be others
   * than those of the last one.
   *
   * @throws ChannelError if the store fails
   * @example
   * for (const { text } of await manager.why("daily-report")) console.log(text);
   */
  async why(name: string, takes?: Pick<RunRecord, "permits" | "rate">): Promise<Reason[]> {
    const { why } = await operatorPart();
    return why(this.source.context, name, takes);
  }

  /**
   * Each job that has a record, ordered by name: whether it runs, how it ended last, how long it usually
   * takes. Reads at most 50 records of each, however many are stored.
   *
   * @throws ChannelError if the store fails
   */
  async *jobs(options: CallOptions = {}): AsyncGenerator<JobSummary, void, undefined> {
    const { jobSummaries } = await operatorPart();
    yield* jobSummaries(this.source.channels.jobs, options.signal);
  }

  /**
   * The names that have a record, in order. Two short reads for each, however many records it has.
   *
   * @throws ChannelError if the store fails
   */
  async *jobNames(options: CallOptions = {}): AsyncGenerator<string, void, undefined> {
    const { jobNames } = await operatorPart();
    yield* jobNames(this.source.channels.jobs, options.signal);
  }

  /**
   * Counts of the runs of each job, by hours or minutes: how many began, by their present status, and how
   * long they took. A run counts exactly once, in the cell in which it began.
   *
   * It costs the same however many records are stored. The querying process folds the new records into cells,
   * one process at a time; a run writes nothing for it. Records that are not folded yet are read, so the
   * answer is current. The first query of a store with many records waits two seconds at most, and returns
   * which part is `missing`; the fold continues until the manager is closed.
   *
   * A record that comes late, because the clock of its host is slow, counts once it is found: within about a
   * minute, or after some more queries if it is later than ten minutes. `prune` also removes cells that are
   * older than the oldest remaining record of their name: minutes by the hour, and hours by the day, so that
   * cells from up to a day before that record may stay. The retention of the store removes only minutes. In a
   * Redis Cluster without a hash tag nothing is folded: the answer comes from the newest 5,000 records.
   *
   * @throws ChannelError `INVALID_ARGUMENT`, or if the store fails
   * @example
   * const to = Date.now();
   * const { jobs } = await manager.rollups({ from: to - 7 * 86_400_000, to, by: "hour" });
   * for (const { name, cells } of jobs) {
   *   console.log(name, cells.reduce((sum, { runs }) => sum + (runs.failed ?? 0), 0));
   * }
   */
  async rollups(options: RollupsOptions): Promise<Rollups> {
    return (await this.source.rollups()).query(options);
  }

  /**
   * The records of {@link JobQueries.activeRuns} alone: one read for each held lock.
   *
   * @internal
   * @throws ChannelError if the store fails; `CORRUPT` if ojm did not write one of the locks
   */
  async openRecords(): Promise<RunRecord[]> {
    const { openRecords } = await operatorPart();
    return openRecords(this.source.channels.jobs, await this.heldLocks());
  }

  /**
   * The active runs of all processes: how far each run is, how long it usually takes, who requested it to
   * stop. To keep them up to date, use {@link JobQueries.followRuns}: only a watcher knows the leases.
   * `locks`: the fresh result of {@link JobQueries.heldLocks}, so that the locks are not read again.
   *
   * @throws ChannelError if the store fails; `CORRUPT` if ojm did not write one of the locks
   */
  async activeRuns({ locks }: { readonly locks?: readonly HeldLock[] } = {}): Promise<ActiveRun[]> {
    const { activeRuns } = await operatorPart();
    return activeRuns(this.source.context, locks ?? (await this.heldLocks()));
  }

  /**
   * Follows the active runs of all processes: how far each run is, which processes wait for its lock, and
   * whether its process renews its locks. Watches report changes, so nothing is read twice, however often the
   * answer is requested. Where more than 10 runs begin in a second, a run appears once it lasts for half a
   * second.
   *
   * If the store goes away, the known state stays until it is back. {@link LiveRuns.ready} rejects with
   * `NOT_SUPPORTED` if the store has no watches. Close the result.
   *
   * @example
   * using live = await manager.followRuns({ changed: (name) => console.log(live.run(name)?.progress) });
   * await live.ready;
   * console.log(live.runs().map(({ id }) => id));
   */
  async followRuns(options: FollowRunsOptions = {}): Promise<LiveRuns> {
    const { LiveRuns } = await operatorPart();
    return new LiveRuns(this.liveSource(), options);
  }

  /** @internal What {@link LiveRuns} read. */
  liveSource(): LiveSource {
    const { channels, context } = this.source;
    return { ...channels, clock: context.clock, log: (run, more) => this.log(run, more) };
  }

  /**
   * All held locks, by name. A damaged entry affects only its own lock, which stays held: see `ojm doctor`.
   *
   * @throws ChannelError if the store fails
   */
  async heldLocks(): Promise<HeldLock[]> {
    return this.source.context.locks.list();
  }

  /**
   * The runs of all processes that wait in line for permits and rates. Reads the entries of the lines alone.
   * The process of a listed run may have died without being found dead yet.
   *
   * @throws ChannelError if the store fails
   */
  async limitWaiters(): Promise<LimitWaiter[]> {
    const { limitWaiters } = await operatorPart();
    return limitWaiters(this.source.context);
  }

  /**
   * The permits that have a limit, a holder or a waiter, by name. Reads the entries of all permits.
   *
   * @throws ChannelError if the store fails
   * @example
   * for (const { name, limit, held } of await manager.permits()) console.log(name, limit, held);
   */
  async permits(): Promise<PermitView[]> {
    const { permitsIn } = await operatorPart();
    return permitsIn(this.source.context);
  }

  /**
   * The processes that wait for the lock of a job, in the order in which they will get it. A process that
   * waits in several calls is listed once for each. A listed process may have died without being found dead
   * yet.
   *
   * @throws ChannelError if the store fails; `CORRUPT` if ojm did not write the queue of the lock
   * @example
   * for (const { host, pid } of await manager.waiters("daily-report")) console.log(host, pid);
   */
  async waiters(name: string, options: WaitersOptions = {}): Promise<Waiter[]> {
    return this.source.context.locks.waiters(name, options);
  }

  /**
   * What people did to runs, locks and schedules, newest first: unlocks, cancels, holds, and what schedulers
   * recorded by `auditOps`. Reads only as many entries as the caller takes, but without a `name` the keys of
   * all. Skips entries that ojm did not write.
   *
   * @throws ChannelError if the store fails
   * @example
   * for await (const { at, action, name, author, reason } of manager.audit()) {
   *   console.log(new Date(at).toISOString(), action, name, author, reason);
   * }
   */
  async *audit(options: AuditOptions = {}): AsyncGenerator<AuditEntry, void, undefined> {
    const { auditOf } = await operatorPart();
    yield* auditOf(this.source.channels.locks, options);
  }

  /**
   * The last request to stop a run: by whom, when and why; `undefined` if there was none. If the run is still
   * running, its body has not obeyed yet. A cancel with `audited: false` is not found.
   *
   * @throws ChannelError if the store fails
   */
  async stopRequest(run: Pick<RunRecord, "id" | "name" | "startTime">): Promise<AuditEntry | undefined> {
    const { stopRequestOf } = await operatorPart();
    return stopRequestOf(this.source.channels.locks, run);
  }

  /**
   * The last request to stop each of these runs, by the id of the run, like {@link JobQueries.stopRequest}.
   * Runs without a request are left out. For many runs, it reads the keys of the audit once, and then only
   * the entries since the runs began.
   *
   * @throws ChannelError if the store fails
   * @example
   * const asked = await manager.stopRequests(await manager.activeRuns());
   * for (const [id, { author, reason }] of asked) console.log(id, author, reason);
   */
  async stopRequests(
    runs: Iterable<Pick<RunRecord, "id" | "name" | "startTime">>,
  ): Promise<ReadonlyMap<string, AuditEntry>> {
    const { stopRequestsOf } = await operatorPart();
    return stopRequestsOf(this.source.channels.locks, runs);
  }
}

/** The longest wait, in ms. Without a timeout, there is no limit. */
function longestWait(timeout: Duration = Number.POSITIVE_INFINITY): number {
  return checkedDuration("timeout", timeout, refusing(""), 0, Number.POSITIVE_INFINITY);
}
