import { inBackground } from "../channel/calls/background.js";
import type { Channel } from "../channel/channel.js";
import type { JsonValue } from "../channel/encoding/json.js";
import type { CallOptions, Entry } from "../channel/types.js";
import type { LocksValue, LockValue } from "../locks/entries/schema.js";
import type { Lease } from "../locks/hold/lease.js";
import { Locks } from "../locks/locks.js";
import type { AcquireOptions, HeldLock } from "../locks/types.js";
import { type Clock, systemClock } from "../util/clock.js";
import { InFlight } from "../util/in-flight.js";
import { type Channels, closeChannels, openChannels } from "./channels.js";
import { RunError } from "./errors.js";
import { Logs } from "./logs/logs.js";
import { logOf, progressOf, runRefOf } from "./logs/read/log-of.js";
import type { LogItem, LogOptions, Progress } from "./logs/types.js";
import { checkManagerOptions, checkPruneOptions, isMap } from "./options.js";
import { jobSummaries } from "./questions/job-summary.js";
import { LiveRuns } from "./questions/live/live-runs.js";
import type { LiveOptions } from "./questions/live/types.js";
import { running } from "./questions/running.js";
import { why } from "./questions/why.js";
import { names } from "./records/history/by-name.js";
import { failuresOf } from "./records/history/in-error.js";
import { checkRange, selectRecords } from "./records/history/select.js";
import { Housekeeping } from "./records/housekeeping.js";
import { closeRunOf, lostText } from "./records/orphans.js";
import { prune } from "./records/prune.js";
import { recordKeyOf } from "./records/record.js";
import { TimeIndex } from "./records/time-index.js";
import { cancelRun } from "./requests/cancel.js";
import { holdName } from "./requests/hold.js";
import { untilClosed } from "./requests/until-closed.js";
import { pendingOf } from "./retry/pending.js";
import { runChain, takeOverChain } from "./retry/run-chain.js";
import type { RunContext } from "./run/context.js";
import { closeOnExit, forgetOnExit } from "./run/exit.js";
import type { OpenRun } from "./run/open-run.js";
import { RecordTexts } from "./run/record-texts.js";
import { runBody } from "./run/run-body.js";
import { startRun } from "./run/start-run.js";
import { StartTimes } from "./run/start-times.js";
import type { RunRef } from "./run-id.js";
import type {
  CancelOptions,
  CancelOutcome,
  EndedBy,
  FailuresOptions,
  HistoryOptions,
  HoldOptions,
  JobManagerOptions,
  JobSummary,
  Outcome,
  PendingRetry,
  PruneOptions,
  Reason,
  Run,
  RunOptions,
  RunRecord,
  UnlockOutcome,
} from "./types.js";

const TTL = 15_000;

/**
 * Opens the channels, and closes as `lost` the runs that dead processes left open.
 *
 * If both channels are in one store (equal `type` and `args`), start and end of a run are one commit each.
 * With two stores they are two commits each. If a process dies between the two, a later look closes its run
 * as `lost` and frees the lock.
 *
 * @throws ChannelError `INVALID_CONFIG` for an unknown or invalid option; any error of opening a channel
 */
export async function openJobManager(options: JobManagerOptions = {}): Promise<JobManager> {
  checkManagerOptions(options);
  const channels = await openChannels(options);
  try {
    const manager = new JobManager(channels, options);
    await manager.begin();
    return manager;
  } catch (error) {
    await closeChannels(channels);
    throw error;
  }
}

/**
 * Runs jobs by name, and keeps a record of every run. No name runs twice at once, in all processes that open
 * the same channels.
 *
 * @example
 * await using manager = await openJobManager({
 *   chJobs: { type: "sqlite", args: { file: "./data/ojm.db" } },
 *   chLocks: { type: "sqlite", args: { file: "./data/ojm.db" } },
 * });
 * const { result } = await manager.run("daily-report", (run) => report({ signal: run.signal }), {
 *   timeout: 600_000,
 * });
 */
export class JobManager {
  /** The channels of the records and of the locks, to look into. Do not close them. */
  readonly channels: { readonly jobs: Channel<RunRecord>; readonly locks: Channel<LocksValue> };
  readonly #clock: Clock;
  readonly #locks: Locks;
  readonly #open: Set<OpenRun> = new Set();
  readonly #context: RunContext;
  readonly #housekeeping: Housekeeping;
  readonly #channels: Channels;
  readonly #closing: AbortController = new AbortController();
  #closed: Promise<void> | undefined;
  #cancelSweep: () => void = () => {};

  /** @internal Use {@link openJobManager}. */
  constructor(channels: Channels, options: JobManagerOptions) {
    const { jobs, locks, times } = channels;
    this.channels = { jobs, locks };
    this.#channels = channels;
    this.#clock = options.clock ?? systemClock;
    const index = new TimeIndex(jobs, times);
    const onOrphan = async (lock: Pick<Entry<LockValue>, "value" | "version">): Promise<void> => {
      const error = lostText(lock.value.holder);
      await closeRunOf({ jobs, locks, index }, lock, { endTime: this.#clock.now(), status: "lost", error });
    };
    const { ttl = TTL, heartbeatThread = true } = options;
    const locksOptions = { clock: this.#clock, ttl, heartbeatThread, onOrphan };
    this.#locks = new Locks(locks as Channel<unknown>, locksOptions, jobs as Channel<unknown>);
    this.#context = {
      jobs,
      index,
      locks: this.#locks,
      logs: new Logs(options.chLogs ?? options.chJobs ?? {}, this.#clock, options.logBudget),
      lockChannel: locks as Channel<unknown>,
      clock: this.#clock,
      ttl,
      times: new StartTimes(this.#clock),
      texts: new RecordTexts(),
      chains: new Set(),
      starting: new InFlight(),
      closing: this.#closing.signal,
      onOpen: (run) => void this.#open.add(run as OpenRun),
      onOver: (run) => void this.#open.delete(run as OpenRun),
    };
    this.#housekeeping = new Housekeeping(channels, index, this.#clock, ttl);
  }

  /** @internal Closes as `lost` what dead processes left open, now and from time to time. */
  async begin(): Promise<void> {
    await this.#locks.sweep();
    this.#keepSweeping(this.#locks.nextSweep());
    this.#housekeeping.begin();
    closeOnExit(this);
  }

  /**
   * Runs `body` under the lock of `name`, and keeps a record of the run.
   *
   * `run.signal` tells the body to stop. At the timeout, or when the lock is lost, `run` rejects at once,
   * also if the body goes on. After `options.signal` fired, `run` waits for the body to stop, until the
   * timeout at most.
   *
   * No other run of the name starts while this run holds the lock. A body that goes on after `run.signal`
   * fired may overlap the next run: give its writes `run.fenced` or `run.fence`.
   *
   * @returns the value that the body returned, and the record
   * @throws the error of the body
   * @throws RunError `LOCKED`, `TIMEOUT`, `CANCELLED`, `LOST` or `INVALID`
   * @throws ChannelError if the store fails
   */
  run<T>(name: string, body: (run: Run) => T | Promise<T>, options: RunOptions = {}): Promise<Outcome<T>> {
    const { retry } = options ?? {};
    if (retry === undefined) return runBody(this.#context, name, body, options);
    return runChain(this.#context, name, body, options);
  }

  /**
   * Goes on with a chain of attempts whose process is gone: waits until the next attempt is due, and runs
   * `body`, as often as the policy of the chain allows. Of several processes that call it one makes the
   * attempt.
   *
   * @returns as {@link JobManager.run}; `undefined` if no chain of the name was left
   * @throws as {@link JobManager.run}
   */
  takeOver<T>(
    name: string,
    body: (run: Run) => T | Promise<T>,
    options: Pick<RunOptions, "signal"> = {},
  ): Promise<Outcome<T> | undefined> {
    return takeOverChain(this.#context, name, body, options);
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
   * Starts a run that the caller ends by `run.end(result)`, `run.skip(reason)`, `run.fail(error)` or
   * `run.cancel()`. If the process ends normally with the run still open, the manager closes it as `lost` and
   * releases its lock.
   *
   * @example
   * await using run = await manager.start("import");
   * await copyRows({ signal: run.signal });
   * await run.end();
   *
   * @throws RunError `LOCKED`, `CANCELLED`, `LOST` or `INVALID`; ChannelError if the store fails
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
   * A channel in the store of the locks, such as for {@link Run.fenced} or {@link StartClaim}. The manager
   * opens it once, and closes it when it is closed itself.
   *
   * @throws ChannelError as {@link openChannel}
   */
  channel<V = JsonValue>(name: string): Promise<Channel<V>> {
    return this.#channels.more.open(name) as Promise<Channel<V>>;
  }

  /**
   * The records of one name, or of all names, newest first. Reads only as many records as the caller takes.
   * Skips entries that are not records, as anybody can write into the channel.
   *
   * With a `name`, `status` and `meta` are looked for in one record after the other. Of all names, runs that
   * ended in error are found by an index, however many others are in between.
   *
   * Of all names, it shows the records that managers wrote. They are found by an index of start times, which
   * the same commits write. A store of an older version of ojm is indexed once, in the background. Until
   * then, and in a Redis Cluster without a hash tag, this reads every name.
   *
   * @throws ChannelError `INVALID_ARGUMENT`, or if the store fails
   * @example
   * for await (const { name, status } of manager.history({ from: Date.now() - 3_600_000 })) {
   *   console.log(name, status);
   * }
   */
  async *history(options: HistoryOptions = {}): AsyncGenerator<RunRecord, void, undefined> {
    yield* selectRecords(this.#context, options);
  }

  /**
   * The runs that ended in error, of all names, the latest end first. `from` and `to` are about their ends.
   * Reads only as many records as the caller takes, however many runs went well in between.
   *
   * They are found by an index that the commits keep which close the records. It lacks the runs that an older
   * version of ojm closed, and there is none in a Redis Cluster without a hash tag.
   *
   * @throws ChannelError `INVALID_ARGUMENT`, or if the store fails
   */
  async *failures(options: FailuresOptions = {}): AsyncGenerator<RunRecord, void, undefined> {
    yield* failuresOf(this.channels.jobs, this.#context.index, checkRange(options));
  }

  /**
   * The log of a run: its lines, and the gaps where lines are missing. `run`: the record or the id of the
   * run, in this process or any other.
   *
   * With `follow`, it goes on until the run is over and its last line was read, or `signal` fires. It waits
   * for a store that goes away meanwhile.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails
   * @example
   * for await (const item of manager.log("import@2026-11-25T02:00:00.000Z", { follow: true })) {
   *   if ("text" in item) console.log(new Date(item.at).toISOString(), item.level, item.text);
   *   else if ("missing" in item) console.log("… lines are missing:", item.missing);
   * }
   */
  log(run: string | RunRef, options: LogOptions = {}): AsyncGenerator<LogItem, void, undefined> {
    return logOf(this.#context, run, options);
  }

  /**
   * The progress of a run, as it told it last by {@link Run.progress}; `undefined` if it told none. To follow
   * it, use {@link JobManager.log} with `progress` and `follow`.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails
   */
  progress(run: string | RunRef, options: CallOptions = {}): Promise<Progress | undefined> {
    return progressOf(this.#context.logs, run, options);
  }

  /**
   * Waits for the end of a run, in whatever process it is. Resolves to its record: after `timeout` ms, or
   * when `signal` fires, to what it is then; to `undefined` if there is no such run. Without `timeout` it
   * waits for as long as it takes.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails
   * @example
   * const record = await manager.wait("import@2026-11-25T02:00:00.000Z", { timeout: 60_000 });
   */
  async wait(
    run: string | RunRef,
    { timeout = Number.POSITIVE_INFINITY, signal }: CallOptions & { readonly timeout?: number } = {},
  ): Promise<RunRecord | undefined> {
    const key = recordKeyOf(runRefOf(run));
    return untilClosed({ jobs: this.channels.jobs, key, clock: this.#clock, wait: timeout, signal });
  }

  /**
   * Why a job does not run now: it runs already, somebody holds its lock, an attempt is not due yet, or how
   * it ended last. The most important reason comes first, each with its evidence. Reads a few entries,
   * however many runs are kept.
   *
   * @throws ChannelError if the store fails
   * @example
   * for (const { text } of await manager.why("daily-report")) console.log(text);
   */
  why(name: string): Promise<Reason[]> {
    return why(this.#context, name);
  }

  /**
   * Each job that has a record, ordered by name: whether it runs, how it ended last, how long it usually
   * takes. Reads at most 50 records of each, however many are kept.
   *
   * @throws ChannelError if the store fails
   */
  jobs(options: CallOptions = {}): AsyncGenerator<JobSummary, void, undefined> {
    return jobSummaries(this.channels.jobs, options.signal);
  }

  /**
   * The names that have a record, in order. Two short reads for each, however many records it has.
   *
   * @throws ChannelError if the store fails
   */
  names(options: CallOptions = {}): AsyncGenerator<string, void, undefined> {
    return names(this.channels.jobs, options.signal);
  }

  /**
   * The records of the open runs of all processes. Reads one record per held lock.
   *
   * @throws ChannelError if the store fails; `CORRUPT` if ojm did not write one of the locks
   */
  running(): Promise<RunRecord[]> {
    return running(this.channels.jobs, this.#locks);
  }

  /**
   * Follows what runs, in all processes: how far each run is, who waits for its lock, and whether its process
   * renews its locks. Watches tell of changes, so nothing is read twice, however often the answer is asked.
   *
   * A store that goes away is waited for: what is known stays until then. {@link LiveRuns.ready} rejects with
   * `NOT_SUPPORTED` where the store has no watches. Close what it returns.
   *
   * @example
   * using live = manager.live({ changed: (name) => console.log(name, live.run(name)?.progress) });
   * await live.ready;
   * console.log(live.runs().map(({ id }) => id));
   */
  live(options: LiveOptions = {}): LiveRuns {
    return new LiveRuns({ ...this.channels, clock: this.#clock, log: (run, more) => this.log(run, more) }, options);
  }

  /**
   * All held locks, of all processes, ordered by name.
   *
   * @throws ChannelError if the store fails; `CORRUPT` if ojm did not write one of the locks
   */
  async locks(): Promise<HeldLock[]> {
    return this.#locks.list();
  }

  /**
   * Asks the run of a job to stop, in whatever process it is, and waits for its end. `nameOrId`: the name of
   * the job, or the id of the run; a later run of the same job is not meant then.
   *
   * The signal of the run fires within moments, with the reason. Its record is closed as `cancelled` once its
   * body ended, and tells who cancelled it, and why. A body that ignores its signal goes on until its
   * timeout: `ended` is false then. A lock without a run cannot be cancelled: see {@link JobManager.unlock}.
   *
   * @throws RunError `INVALID` without a reason; ChannelError if the store fails
   * @example
   * const { ended } = await manager.cancel("daily-report", { reason: "wrong month" });
   */
  cancel(nameOrId: string, options: CancelOptions): Promise<CancelOutcome> {
    return cancelRun(this.#context, nameOrId, options);
  }

  /**
   * Holds a job for maintenance: no run of the name starts, in no process, until `until` or an {@link
   * JobManager.unlock}. The hold stays when this process ends. Whoever is refused is told who holds the job,
   * until when, and why.
   *
   * @returns the lock. Its `note.hold` has the reason
   * @throws RunError `LOCKED` if a run goes on for longer than `wait`, `INVALID`, `LOST`; ChannelError if the
   * store fails
   * @example
   * await manager.hold("import", { reason: "the schema changes", author: "ana" });
   */
  hold(name: string, options: HoldOptions): Promise<HeldLock> {
    return holdName(this.#context, name, options);
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
  async unlock(name: string, options: { readonly reason: string }): Promise<UnlockOutcome> {
    const reason = isMap(options) ? options.reason : undefined;
    if (typeof reason !== "string" || reason === "")
      throw new RunError("INVALID", name, "a forced unlock needs a reason");
    let run: RunRecord | undefined;
    const lock = await this.#locks.forceUnlock(name, reason, async (held, by) => {
      const endedBy: EndedBy = { action: "unlock", by, reason };
      const error = `unlocked by force: ${reason}`;
      const close = { endTime: this.#clock.now(), status: "cancelled", error, endedBy } as const;
      run = await closeRunOf({ ...this.channels, index: this.#context.index }, held, close);
    });
    if (lock === undefined) return { unlocked: false, ...(run && { run }) };
    return { unlocked: true, holder: lock.holder, ...(run && { run }) };
  }

  /**
   * Deletes the records and logs of the runs that ended more than `olderThan` ms ago. Open runs stay. Safe to
   * run in several processes at once.
   *
   * With `name` or `keep` it reads the records one after the other; without, only those that it deletes.
   *
   * @throws RunError `INVALID`; ChannelError if the store fails, after some records may have been deleted
   */
  async prune(options: PruneOptions): Promise<{ removed: number }> {
    const checked = checkPruneOptions(options);
    const { jobs, index, logs } = this.#context;
    const { channel } = await logs.open();
    return { removed: await prune({ jobs, index, logs: channel }, this.#clock.now(), checked) };
  }

  #keepSweeping(rest: number): void {
    this.#cancelSweep = this.#clock.after(rest, () => {
      void inBackground(() => this.#locks.sweepInTurn()).then(() => {
        if (this.#closed === undefined) this.#keepSweeping(this.#locks.nextSweep());
      });
    });
  }

  /** @internal Closes the open runs as `lost`. Resolves to whether there were any. */
  async closeOpenRuns(why: string): Promise<boolean> {
    const runs = [...this.#open];
    await Promise.allSettled(runs.map((run) => run.abandon(why)));
    return runs.length > 0;
  }

  /**
   * Closes open runs as `lost`, releases their locks, ends the session and closes the channels. A second call
   * returns the same promise.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    forgetOnExit(this);
    this.#cancelSweep();
    this.#housekeeping.close();
    await this.#locks.stop();
    await this.#context.starting.none();
    await this.closeOpenRuns("its manager was closed");
    try {
      await this.#locks.close();
    } finally {
      await this.#context.logs.close();
      await closeChannels(this.#channels);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
