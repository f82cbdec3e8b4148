import { inBackground } from "../channel/calls.js";
import type { Channel, ChannelOps } from "../channel/channel.js";
import type { JsonValue } from "../channel/encoding/json.js";
import { type ChannelError, isChannelError } from "../channel/errors.js";
import type { Entry } from "../channel/types.js";
import type { LocksValue, LockValue } from "../locks/entries/schema.js";
import type { CloseOptions } from "../locks/grace.js";
import type { Lease } from "../locks/hold/lease.js";
import { Locks } from "../locks/locks.js";
import type { AcquireOptions, HeldLock, Holder } from "../locks/types.js";
import type { RollupQueries } from "../operator/rollups/queries.js";
import type { Exported, ExportOptions, RunImport } from "../operator/transfer/transfer.js";
import { type Clock, restBy, systemClock } from "../util/clock.js";
import { auditOps } from "./audit.js";
import { type Channels, closeChannels, openChannels } from "./channels.js";
import { RunError } from "./errors.js";
import { JobQueries, type QuerySource } from "./job-queries.js";
import { LOGS, Logs } from "./logs/logs.js";
import { operatorPart } from "./operator-part.js";
import { type CheckedManagerOptions, checkManagerOptions, checkPruneOptions, optionsOf } from "./options.js";
import { Housekeeping } from "./records/housekeeping.js";
import { closeRunOf, lostText, NOT_BEGUN } from "./records/orphans.js";
import { TimeIndex } from "./records/time-index.js";
import { endOrphanedRetry, orphanedRetriesOf, pendingOf } from "./retry/pending.js";
import { runChain, takeOverChain } from "./retry/run-chain.js";
import { RecordTexts, type RunContext, StartTimes } from "./run/context.js";
import { completeOnce } from "./run/done.js";
import { closeOnExit, forgetOnExit } from "./run/exit.js";
import { forgetStart } from "./run/once.js";
import { PermitLines } from "./run/permits.js";
import { runBody } from "./run/run-body.js";
import { RunGroup } from "./run/run-group.js";
import { startRun } from "./run/start-run.js";
import type {
  AuditAction,
  CancelOptions,
  CancelOutcome,
  EndMaintenanceOptions,
  HoldOptions,
  JobManagerOptions,
  LimitOptions,
  Maintenance,
  MaintenanceOptions,
  OnceCallOptions,
  OnceOutcome,
  Outcome,
  PendingRetry,
  PruneOptions,
  PruneOutcome,
  Run,
  RunOptions,
  RunRecord,
  TakeOverOptions,
  UnlockOptions,
  UnlockOutcome,
} from "./types.js";

/**
 * Opens the channels, and closes as `lost` the runs that dead processes left open.
 *
 * If both channels are in one store (equal `type` and `args`), start and end of a run are one commit each.
 * With two stores they are two commits each. If a process dies between the two, a later check closes its run
 * as `lost` and frees the lock.
 *
 * `store`: one store for both, as a text: `redis://HOST`, `sqlite:FILE`, `etcd://HOST,HOST`, `level:FOLDER`
 * or `memory:`. A relative path is resolved against the working folder.
 *
 * @throws ChannelError `INVALID_CONFIG` for an unknown or invalid option; any error of opening a channel
 * @example
 * await using jobs = await openJobManager("sqlite:./data/ojm.db");
 */
export async function openJobManager(options?: JobManagerOptions): Promise<JobManager>;
export async function openJobManager(
  store: string,
  options?: Omit<JobManagerOptions, "chJobs" | "chLocks">,
): Promise<JobManager>;
export async function openJobManager(
  first: string | JobManagerOptions = {},
  options: JobManagerOptions = {},
): Promise<JobManager> {
  const checked = checkManagerOptions(typeof first === "string" ? optionsOf(first, options) : first);
  const channels = await openChannels(checked);
  try {
    const manager = new JobManager(channels, checked);
    await manager.begin();
    return manager;
  } catch (error) {
    await closeChannels(channels);
    throw error;
  }
}

/**
 * Runs jobs by name, and keeps a record of every run. A name never runs twice at once, across all processes
 * that open the same channels, unless its runs have different locks: see {@link RunOptions.lock}.
 *
 * @example
 * await using manager = await openJobManager({
 *   chJobs: { type: "sqlite", args: { file: "./data/ojm.db" } },
 *   chLocks: { type: "sqlite", args: { file: "./data/ojm.db" } },
 * });
 * const { result } = await manager.run("daily-report", (run) => report({ signal: run.signal }), {
 *   timeout: "10m",
 * });
 */
export class JobManager extends JobQueries {
  /** The channels of the records and of the locks, for inspection. Do not close them. */
  readonly channels: { readonly jobs: Channel<RunRecord>; readonly locks: Channel<LocksValue> };
  readonly #clock: Clock;
  readonly #locks: Locks;
  readonly #runs: RunGroup;
  readonly #context: RunContext;
  readonly #housekeeping: Housekeeping;
  #rollups: Promise<RollupQueries> | undefined;
  /** @internal */
  protected override readonly source: QuerySource;
  readonly #channels: Channels;
  #closed: Promise<void> | undefined;
  #cancelSweep: () => void = () => {};

  /** @internal Use {@link openJobManager}. */
  constructor(channels: Channels, options: CheckedManagerOptions) {
    super();
    const { jobs, locks, times } = channels;
    this.channels = { jobs, locks };
    this.#channels = channels;
    this.#clock = options.clock ?? systemClock;
    const index = new TimeIndex(jobs, times);
    const onOrphan = async (lock: Pick<Entry<LockValue>, "value" | "version">, isUnused: boolean): Promise<void> => {
      const ending = { status: "lost", error: isUnused ? NOT_BEGUN : lostText(lock.value.holder) } as const;
      await closeRunOf({ jobs, locks, index }, lock, { ...ending, endTime: this.#clock.now(), isUnused });
      if (isUnused) await forgetStart(locks as Channel<unknown>, lock);
    };
    const { ttl, heartbeatThread = true, retention } = options;
    const locksOptions = { clock: this.#clock, ttl, heartbeatThread, onOrphan };
    this.#locks = new Locks(locks as Channel<unknown>, locksOptions, jobs as Channel<unknown>);
    this.#runs = new RunGroup({
      jobs,
      index,
      locks: this.#locks,
      logs: new Logs(
        options.chLogs ?? options.chJobs ?? {},
        options.chLogs !== undefined,
        this.#clock,
        options.logBudget,
      ),
      lockChannel: locks as Channel<unknown>,
      clock: this.#clock,
      ttl,
      times: new StartTimes(this.#clock),
      texts: new RecordTexts(),
      ownLines: new PermitLines(),
      chains: new Set(),
      raiseFormat: () => channels.raiseFormat(),
    });
    this.#context = this.#runs.context;
    const { logs } = this.#context;
    this.#housekeeping = new Housekeeping(channels, { index, logs, clock: this.#clock, ttl, retention });
    const rollups = (): Promise<RollupQueries> => {
      this.#rollups ??= operatorPart().then((part) => new part.RollupQueries(channels, index, this.#clock, ttl));
      return this.#rollups;
    };
    this.source = { context: this.#context, channels: this.channels, rollups };
  }

  /** @internal Closes as `lost` the runs that dead processes left open, now and periodically. */
  async begin(): Promise<void> {
    await this.sweep();
    this.#keepSweeping(this.#locks.nextSweep());
    this.#housekeeping.begin();
    closeOnExit(this);
  }

  /**
   * Runs `body` under the lock of `name`, and keeps a record of the run.
   *
   * `run.signal` signals the body to stop. At the timeout, or when the lock is lost, `run` rejects at once,
   * even if the body continues. After `options.signal` fired, `run` waits for the body to stop, until the
   * timeout at most.
   *
   * No other run of the name starts while this run holds the lock. A body that continues after `run.signal`
   * fired may overlap the next run: use `run.fenced` or `run.fence` for its writes.
   *
   * @returns the value that the body returned, and the record
   * @throws the error of the body
   * @throws RunError `LOCKED`, `STARTED`, `TIMEOUT`, `CANCELLED`, `LOST`, `ENDED` or `INVALID`
   * @throws ChannelError if the store fails
   */
  run<T>(name: string, body: (run: Run) => T | Promise<T>, options: RunOptions = {}): Promise<Outcome<T>> {
    const { group, retry } = options ?? {};
    const context = this.#contextOf(group);
    return retry === undefined ? runBody(context, name, body, options) : runChain(context, name, body, options);
  }

  /**
   * Runs `body` unless a run of this name has completed with this key, in any process. Then resolves to the
   * result of that run. So each key is completed once, and each caller gets the one result.
   *
   * While a run of the key is active, it waits for it, up to `options.wait`. If that run fails, or its
   * process dies, the next caller runs its body. So a body may begin again after a part of its work: make
   * that part idempotent, or fence its writes. With `options.retry`, this call repeats its body, unless
   * another call completes the key meanwhile. If its process dies, no other one continues its attempts.
   *
   * Runs of one name with different keys run at the same time. The record of a run has the lock
   * `once/NAME/KEY`. `key`: 1 to 200 characters.
   *
   * The result that others get is the JSON of what the body returned. If it is not JSON, or larger than
   * 262,144 bytes, the key is done all the same, and later calls reject with `ENDED`.
   *
   * @throws the error of the body
   * @throws RunError as {@link JobManager.run}, but not `STARTED`; ChannelError if the store fails
   * @example
   * const { result } = await manager.once("charge", order.id, (run) => charge(order, run), { keep: "30d" });
   */
  async once<T>(
    name: string,
    key: string,
    body: (run: Run) => T | Promise<T>,
    options: OnceCallOptions,
  ): Promise<OnceOutcome<T>> {
    return completeOnce(this.#context, name, key, body, options);
  }

  /**
   * Continues a retry series whose process is gone: waits until the next attempt is due, and runs `body`, as
   * often as the policy of the series allows. Of several processes that call it, one makes the attempt.
   *
   * @internal
   * @returns as {@link JobManager.run}; `undefined` if the name has no orphaned retry series
   * @throws as {@link JobManager.run}
   */
  takeOver<T>(
    name: string,
    body: (run: Run) => T | Promise<T>,
    options: TakeOverOptions = {},
  ): Promise<Outcome<T> | undefined> {
    return takeOverChain(this.#contextOf(options.group), name, body, options);
  }

  /**
   * The attempts that are due, or will be: of one name, or of all.
   *
   * @throws ChannelError if the store fails
   */
  async retries(name?: string): Promise<PendingRetry[]> {
    return (await pendingOf(this.#context.lockChannel, name)).map(({ value }) => value);
  }

  /**
   * The attempts of {@link JobManager.retries} whose process is gone. A living scheduler of the name makes
   * them by itself. Without one, they wait for the next {@link JobManager.run} of the name with `retry`.
   * `of`: a name, or the fresh result of {@link JobManager.retries}, so that they are not read again.
   * Default: all.
   *
   * @throws ChannelError if the store fails
   */
  orphanedRetries(of?: string | readonly PendingRetry[]): Promise<readonly PendingRetry[]> {
    return orphanedRetriesOf(this.#locks.operator, this.#context.lockChannel, of);
  }

  /**
   * Ends an attempt of {@link JobManager.orphanedRetries}: no process will make it. `run` is the run of the
   * same name that takes its place, and holds its lock. Resolves to whether the attempt was still there.
   *
   * @internal
   * @throws LockError `LOST`; ChannelError if the store fails
   */
  endOrphanedRetry(run: Run, next: PendingRetry): Promise<boolean> {
    return endOrphanedRetry(this.#context.lockChannel, run, next);
  }

  /**
   * Starts a run that the caller ends by `run.end(result)`, `run.skip(reason)`, `run.fail(error)` or
   * `run.cancel()`. If the process ends normally with the run still open, the manager closes it as `lost` and
   * releases its lock.
   *
   * @example
   * await using run = await manager.start("import");
   * await copyRows({ signal: run.signal });
   * await run.end();
   *
   * @throws RunError `LOCKED`, `STARTED`, `CANCELLED`, `LOST` or `INVALID`; ChannelError if the store fails
   */
  start(name: string, options: RunOptions = {}): Promise<Run> {
    if (options?.retry !== undefined) {
      const text = `retry of "${name}" needs a body that can be run again: use run(), not start()`;
      return Promise.reject(new RunError("INVALID", name, text));
    }
    return startRun(this.#context, name, options);
  }

  /**
   * Takes a lock without a run: it leaves no record. It excludes runs and locks of the same name. Without
   * `timeout`, the lease ends after one hour, like a run.
   *
   * @throws LockError `LOCKED`; ChannelError if the store fails
   */
  lock(name: string, options: AcquireOptions = {}): Promise<Lease> {
    return this.#locks.acquire(name, options);
  }

  /**
   * A channel in the store of the locks, such as for {@link Run.fenced}. It is closed with the manager.
   *
   * @throws ChannelError as {@link openChannel}
   */
  channel<V = JsonValue>(name: string): Promise<Channel<V>> {
    return this.#channels.more.open(name) as Promise<Channel<V>>;
  }

  /**
   * Requests the run of a job to stop, in any process, and waits for its end. `nameOrId`: the name of the
   * job, or the id of the run. With an id, a later run of the same job is not cancelled.
   *
   * The signal of the run fires within moments, with the reason. Its record is closed as `cancelled` once its
   * body ended, with the author and the reason. A body that ignores its signal continues until its timeout:
   * `ended` is false then. A lock without a run cannot be cancelled: see {@link JobManager.unlock}.
   *
   * If no run is active and the job waits for its next attempt, that attempt is cancelled before its body
   * begins, and no other follows. To cancel it by an id, pass the id of its retry series, which is the id of
   * the first attempt.
   *
   * @throws RunError `INVALID` without a reason; `LOCKED` if the attempt waits, and another run has the lock;
   * ChannelError if the store fails
   * @example
   * const { ended } = await manager.cancel("daily-report", { reason: "wrong month" });
   */
  async cancel(nameOrId: string, options: CancelOptions): Promise<CancelOutcome> {
    const { cancelRun } = await operatorPart();
    return cancelRun(this.#context, nameOrId, options);
  }

  /**
   * Sets how many runs may have a permit at once, for all processes: see {@link RunOptions.permits}. It
   * replaces the numbers that runs give, from their next start on. If more runs have the permit now, they
   * keep it. With 0, no run that needs the permit starts. `undefined`: the numbers of the runs count again.
   * With an author or a reason, the audit records it.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails
   * @example
   * await manager.limit("stripe", 5);
   */
  async limit(permit: string, limit: number | undefined, options: LimitOptions = {}): Promise<void> {
    const { setLimit } = await operatorPart();
    return setLimit(this.#context, permit, limit, options);
  }

  /**
   * Holds a job for maintenance: no run of the name starts in any process, until `until` or an
   * {@link JobManager.unlock}. The hold stays when this process ends. The error of a rejected run names the
   * author, the end and the reason of the hold.
   *
   * @returns the lock. Its `note.hold` has the reason
   * @throws RunError `LOCKED` if a run continues for longer than `wait`, `INVALID`, `LOST`; ChannelError if
   * the store fails
   * @example
   * await manager.hold("import", { reason: "the schema changes", author: "ana" });
   */
  async hold(name: string, options: HoldOptions): Promise<HeldLock> {
    const at = this.#clock.now();
    const { holdName } = await operatorPart();
    return holdName(this.#context, name, options, at);
  }

  /**
   * Starts a maintenance: once this resolves, no tick of a schedule, no backfill and no item of a queue
   * begins, in any process. Runs in progress continue, with their next attempts. So do the runs that programs
   * and people start themselves: {@link JobManager.hold} prevents those of one name. The ticks stay
   * undecided, and at its end the `missed` rules of their schedules decide them. A pause of a single schedule
   * stays as it is.
   *
   * @returns the maintenance of the same names that it replaces
   * @throws RunError `INVALID`; ChannelError if the store fails
   * @example
   * await manager.startMaintenance({ names: "billing/*", reason: "the bank is closed", author: "ana" });
   */
  async startMaintenance(options: MaintenanceOptions): Promise<Maintenance | undefined> {
    const { startMaintenance } = await operatorPart();
    return startMaintenance(this.#context, options);
  }

  /**
   * Ends the maintenance of these names, or all. Resolves to what it ended.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails
   */
  async endMaintenance(options: EndMaintenanceOptions = {}): Promise<Maintenance[]> {
    const { endMaintenance } = await operatorPart();
    return endMaintenance(this.#context, options);
  }

  /**
   * Removes the lock of `name` from any holder. Closes the holder's run as `cancelled` with the reason, frees
   * the lock, and leaves an audit record in the locks channel.
   *
   * The signal of the holder fires once its watch reports the change, within moments. Until then two bodies
   * may run.
   *
   * @throws RunError `INVALID` without a reason; ChannelError if the store fails
   */
  async unlock(name: string, options: UnlockOptions): Promise<UnlockOutcome> {
    const { unlockName } = await operatorPart();
    return unlockName(this.#context, name, options);
  }

  /**
   * The ops that record an action in the audit, for the commit of that action: see
   * {@link Channel.commitWith}. That commit must be on a channel in the store of the locks, as
   * {@link JobManager.channel} opens it.
   *
   * @internal
   * @example
   * const act = { action: "pause", name: "report", reason: "holidays", by, author: "ana" };
   * await channel.commitWith(ops, [manager.auditOps(act)]);
   */
  auditOps(act: AuditAction): ChannelOps<LocksValue> {
    return auditOps(this.channels.locks, this.#clock, act);
  }

  /**
   * Deletes the records and logs of the runs that ended longer ago than `olderThan`, the audit records of
   * that time, and the rollups of the hours and days that are left empty. Open runs stay. Safe to run in
   * several processes at once.
   *
   * With `name` or `keep` it reads the records one after the other; without, only those that it deletes. With
   * `author`, it leaves an audit record. A full store may have no room for that: the outcome says so.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails, after some records may have been deleted
   */
  async prune(options: PruneOptions): Promise<PruneOutcome> {
    const checked = checkPruneOptions(options);
    const { prune, pruneAct, pruneAudit } = await operatorPart();
    const logs = (await this.#context.logs.open()).channel;
    const now = this.#clock.now();
    const removed = await prune({ ...this.#context, logs }, now, checked);
    const audits = await pruneAudit(this.channels.locks, now, checked);
    let unrecorded: ChannelError | undefined;
    if (checked.author !== undefined) {
      const act = pruneAct(checked, { removed, audits }, this.#locks.operator.actor());
      // The records are gone: an error alone would not say so, and not how many.
      unrecorded = await errorOf(this.channels.locks.commitWith([], [this.auditOps(act)]));
    }
    return { removed, ...(audits > 0 && { audits }), ...(unrecorded && { unrecorded }) };
  }

  /**
   * The ended runs of the store, newest first, each followed by its log; then the audit. For the
   * {@link JobManager.openImport} of another store. All of it is plain JSON.
   *
   * Other processes may use the store meanwhile. A run that is still open is reported as `leftOut`, and so
   * is each mark that a key is done, or that a tick of a command has run. Locks, holds and pending attempts
   * belong to their store: they are not exported.
   *
   * @throws ChannelError `INVALID_ARGUMENT`, or if the store fails
   */
  async *exported(options: ExportOptions = {}): AsyncGenerator<Exported, void, undefined> {
    const { exportAll } = await operatorPart();
    yield* exportAll(this.#context, options);
  }

  /**
   * Imports the export of another store. It never changes the data of this store: a part that exists already
   * is counted as `present`, and a run whose id another run has here is left out.
   *
   * The fences of imported runs are those of the store that they come from.
   *
   * @example
   * const target = await to.openImport();
   * for await (const part of from.exported()) await target.add(part);
   * await target.flush();
   * console.log(target.counts);
   */
  async openImport(): Promise<RunImport> {
    const { RunImport } = await operatorPart();
    return new RunImport(this.#context);
  }

  /**
   * Closes now as `lost` the runs of dead processes, frees their locks, and writes their next attempts. A
   * process of this host is found dead at once, one of another host once its session is over. A manager does
   * this when it opens and about once per `ttl`, so call it only if you know that a process has died.
   *
   * @throws ChannelError if the store fails
   */
  sweep(): Promise<void> {
    return this.#locks.sweep();
  }

  #keepSweeping(rest: number): void {
    this.#cancelSweep = this.#clock.after(restBy(this.#clock, rest), () => {
      void inBackground(() => this.#locks.sweepInTurn()).then(() => {
        if (this.#closed === undefined) this.#keepSweeping(this.#locks.nextSweep());
      });
    });
  }

  /** @internal Closes the open runs as `lost`. Resolves to whether there were any. */
  closeOpenRuns(why: string): Promise<boolean> {
    return this.#runs.abandon(why);
  }

  /** @internal The channel with this name, of the manager or of a package that builds on it. */
  async channelOf(name: string): Promise<Channel<unknown>> {
    const { jobs, locks, times, turns } = this.#channels;
    const own = ([jobs, locks, times, turns] as readonly Channel<unknown>[]).find((one) => one.name === name);
    if (own !== undefined) return own;
    const { logs } = this.#context;
    return name === LOGS ? ((await logs.open()).channel as Channel<unknown>) : this.channel<unknown>(name);
  }

  #contextOf(group: object | undefined): RunContext {
    return group instanceof RunGroup ? group.context : this.#context;
  }

  /** @internal Keeps older versions of ojm out of the stores: call it before an entry of a new kind. */
  raiseFormat(): Promise<void> {
    return this.#context.raiseFormat();
  }

  /** @internal Whether the session of a holder is certainly over. Costs few calls to the store. */
  isGone(holder: Holder): Promise<boolean> {
    return this.#locks.operator.isGone(holder);
  }

  /** @internal Makes a group of runs, by their option `group`, that can be closed before the manager. */
  group(): RunGroup {
    return new RunGroup(this.#context, this.#runs);
  }

  /**
   * Ends the runs of this process, and closes the channels. From the call on, this process starts no run and
   * no attempt. Pending attempts are left to other processes, and calls that wait for a lock reject with
   * `CLOSED`.
   *
   * The signals of the runs fire with `CLOSING`. Their locks stay held, and are renewed, until their job
   * functions return, so no other process begins the next run before. A function that returns a value has
   * completed its run. One that throws is interrupted: with `retry`, the run is handed over, see
   * {@link Run.handOver}; without, it is `cancelled`. A run that is still active after the `grace` is closed
   * as `lost`, and its lock is released.
   *
   * A second call joins the first, and may shorten its grace. It settles even if the store is away.
   *
   * @throws ChannelError `INVALID_ARGUMENT`
   * @example
   * process.once("SIGTERM", () => manager.close({ grace: "20s" }));
   */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#runs.grace.limit(options);
    this.#closed ??= this.#close().finally(() => this.#runs.grace.stop());
    return this.#closed;
  }

  async #close(): Promise<void> {
    forgetOnExit(this);
    this.#cancelSweep();
    this.#housekeeping.close();
    this.#locks.askForReleases();
    const stopped = Promise.all([this.#locks.stop(), this.#rollups?.then((rollups) => rollups.close())]);
    await this.#runs.end();
    await stopped;
    try {
      await this.#locks.closeWithin(this.#runs.grace);
    } finally {
      await this.#context.logs.close();
      await closeChannels(this.#channels);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The error of the store for a call; `undefined` if it succeeded. */
async function errorOf(call: Promise<unknown>): Promise<ChannelError | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (isChannelError(error)) return error;
    throw error;
  }
}
