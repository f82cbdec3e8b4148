import { inBackground } from "../background.js";
import type { Channel } from "../channel/channel.js";
import { ChannelError } from "../channel/errors.js";
import type { Entry, Op } from "../channel/types.js";
import { type Clock, systemClock } from "../clock.js";
import type { LocksValue, LockValue } from "../locks/entries.js";
import type { Lease } from "../locks/lease.js";
import { Locks } from "../locks/locks.js";
import type { TurnValue } from "../locks/turn.js";
import type { AcquireOptions, HeldLock } from "../locks/types.js";
import { UnderWay } from "../under-way.js";
import { type Channels, closeChannels, openChannels } from "./channels.js";
import { RunError } from "./errors.js";
import { closeOnExit, forgetOnExit } from "./exit.js";
import { historyOf, historyOfAll, names } from "./history.js";
import type { OpenRun, RunHome } from "./open-run.js";
import { checkManagerOptions, checkRunOptions, isMap } from "./options.js";
import { closeRunOf, lostText, recordOf } from "./orphans.js";
import { records } from "./read.js";
import { recordKey, toRecord } from "./record.js";
import { runBody } from "./run-body.js";
import { Start, StartTimes } from "./start.js";
import { Strays } from "./strays.js";
import type { JobManagerOptions, Outcome, Run, RunOptions, RunRecord, UnlockOutcome } from "./types.js";

const TTL = 15_000;

/**
 * Runs jobs by name so that no name runs twice at once, wherever else the same channels are opened, and keeps a record of every run.
 *
 * @example
 * await using manager = await JobManager.init({
 *   chJobs: { type: "sqlite", args: { file: "./data/ojm.db" } },
 *   chLocks: { type: "sqlite", args: { file: "./data/ojm.db" } },
 * });
 * const { result } = await manager.run("daily-report", async (run) => report({ signal: run.signal }), { timeout: 600_000 });
 */
export class JobManager {
  /** The channels that the manager keeps its records and locks in, for those who want to look into them. */
  readonly channels: { readonly jobs: Channel<RunRecord>; readonly locks: Channel<LocksValue> };
  readonly #clock: Clock;
  readonly #locks: Locks;
  readonly #times: StartTimes;
  readonly #open: Set<OpenRun> = new Set();
  readonly #home: RunHome;
  readonly #starting: UnderWay = new UnderWay();
  readonly #strays: Strays;
  readonly #turns: Channel<TurnValue>;
  #closed: Promise<void> | undefined;
  #cancelSweep: () => void = () => {};

  private constructor({ jobs, locks, turns }: Channels, options: JobManagerOptions) {
    this.channels = { jobs, locks };
    this.#turns = turns;
    this.#clock = options.clock ?? systemClock;
    this.#times = new StartTimes(this.#clock);
    const onOrphan = async (lock: Pick<Entry<LockValue>, "value" | "version">): Promise<void> => {
      const error = lostText(lock.value.holder);
      await closeRunOf({ jobs, locks }, lock, { endTime: this.#clock.now(), status: "lost", error });
    };
    const { ttl = TTL, heartbeatThread = true } = options;
    this.#locks = new Locks(locks, { clock: this.#clock, ttl, heartbeatThread, onOrphan }, jobs as Channel<unknown>);
    this.#home = { jobs, locks: this.#locks, clock: this.#clock, ttl, onOver: (run) => this.#open.delete(run) };
    this.#strays = new Strays(jobs, this.#locks, turns, this.#clock, ttl);
  }

  /**
   * Opens the channels and closes, as `lost`, the runs that dead processes left open.
   *
   * One store for both channels (equal `type` and `args`) makes start and end of a run one step each; two stores work as well, in two steps
   * that leave nothing wrong behind when they are interrupted.
   *
   * @throws ChannelError `INVALID_CONFIG` for an option that there is not, and whatever keeps a channel from opening
   */
  static async init(options: JobManagerOptions = {}): Promise<JobManager> {
    checkManagerOptions(options);
    const channels = await openChannels(options);
    let manager: JobManager;
    try {
      manager = new JobManager(channels, options);
      await manager.#locks.sweep();
    } catch (error) {
      await closeChannels(channels);
      throw error;
    }
    manager.#keepSweeping(manager.#locks.nextSweep());
    manager.#strays.begin();
    closeOnExit(manager);
    return manager;
  }

  /**
   * Runs `body` under the lock of `name`, and keeps a record of it.
   *
   * The body is told by `run.signal` when it must stop. At the timeout, or when the lock is lost, `run` rejects at once, whether or not the
   * body stops; cancelled by `options.signal`, it waits for the body to stop, for as long as the timeout allows.
   *
   * @returns what the body returned, and the record
   * @throws what the body throws; RunError `LOCKED`, `TIMEOUT`, `CANCELLED`, `LOST`, `INVALID`; ChannelError if the store fails
   */
  async run<T>(name: string, body: (run: Run) => T | Promise<T>, options: RunOptions = {}): Promise<Outcome<T>> {
    if (typeof body !== "function") throw new RunError("INVALID", String(name), `the body of "${name}" is a function`);
    return runBody(await this.#start(name, options), body);
  }

  /**
   * Starts a run that the caller ends: by `run.end(result)`, `run.fail(error)` or `run.cancel()`. A run that is still open when the process ends
   * in good order is closed as `lost` then and there.
   *
   * @throws RunError `LOCKED`, `CANCELLED`, `INVALID`; ChannelError if the store fails
   */
  async start(name: string, options: RunOptions = {}): Promise<Run> {
    return this.#start(name, options);
  }

  async #start(name: string, options: RunOptions): Promise<OpenRun> {
    this.#starting.begin();
    try {
      const run = await new Start(this.#home, this.#times, name, checkRunOptions(name, options)).run();
      // One that is over already is still to be closed, and that is waited for.
      if (!run.settled) this.#open.add(run);
      if (this.#closed !== undefined) {
        await run.abandon("its manager was closed").catch(() => {});
        throw new ChannelError("CLOSED", "this manager is closed");
      }
      if (options.signal !== undefined) run.follow(options.signal);
      return run;
    } finally {
      this.#starting.end();
    }
  }

  /**
   * Takes a lock that is no run's: it leaves no record, and excludes runs and locks of the same name alike. Without a `timeout` it is
   * held for an hour at most, like a run.
   *
   * @throws LockError `LOCKED`; ChannelError if the store fails
   */
  async lock(name: string, options: AcquireOptions = {}): Promise<Lease> {
    return this.#locks.acquire(name, options);
  }

  /** The records of a name, or of all names, newest first. Reads only what it shows, and leaves out what else somebody wrote into the channel. */
  async *history(
    options: { readonly name?: string; readonly limit?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<RunRecord, void, undefined> {
    const { name, limit = Number.POSITIVE_INFINITY, signal } = options;
    yield* name === undefined
      ? historyOfAll(this.channels.jobs, limit, signal)
      : historyOf(this.channels.jobs, name, limit, signal);
  }

  /** The records of the runs that are going on, by whomever. */
  async running(): Promise<RunRecord[]> {
    const running: RunRecord[] = [];
    for (const lock of await this.#locks.list()) {
      const entry = await recordOf(this.channels.jobs, lock);
      if (entry?.value.status === "running") running.push(toRecord(entry));
    }
    return running;
  }

  /** The locks that are held now, by whomever, in the order of their names. */
  async locks(): Promise<HeldLock[]> {
    return this.#locks.list();
  }

  /**
   * Takes the lock of `name` from whoever holds it: closes its run as `cancelled`, with the reason, frees the lock, and leaves an audit record in
   * the locks channel. The holder is told by its signal as soon as the store tells it of the change, within moments; until then two bodies may run.
   */
  async unlock(name: string, options: { readonly reason: string }): Promise<UnlockOutcome> {
    const reason = isMap(options) ? options.reason : undefined;
    if (typeof reason !== "string" || reason === "")
      throw new RunError("INVALID", name, "a forced unlock needs a reason");
    let run: RunRecord | undefined;
    const lock = await this.#locks.forceUnlock(name, reason, async (held) => {
      const close = { endTime: this.#clock.now(), status: "cancelled", error: `unlocked by force: ${reason}` } as const;
      run = await closeRunOf(this.channels, held, close);
    });
    if (lock === undefined) return { unlocked: false, ...(run && { run }) };
    return { unlocked: true, holder: lock.holder, ...(run && { run }) };
  }

  /** Deletes the records of runs that ended more than `olderThan` ms ago. Open runs stay. */
  async prune(options: { readonly olderThan: number; readonly signal?: AbortSignal }): Promise<{ removed: number }> {
    const olderThan = isMap(options) ? options.olderThan : undefined;
    if (typeof olderThan !== "number" || !(olderThan >= 0) || !Number.isFinite(olderThan)) {
      throw new RunError("INVALID", "", `olderThan is a number of milliseconds from 0 up, not ${String(olderThan)}`);
    }
    const cutoff = this.#clock.now() - olderThan;
    const signal = options.signal && { signal: options.signal };
    let removed = 0;
    for await (const name of names(this.channels.jobs, options.signal)) {
      const old = records(this.channels.jobs, { prefix: { name }, before: recordKey(name, cutoff), ...signal });
      let batch: Op<RunRecord>[] = [];
      const flush = async (): Promise<void> => {
        if (batch.length > 0) await this.channels.jobs.commit(batch, signal);
        removed += batch.length;
        batch = [];
      };
      for await (const { key, value } of old) {
        // A record that is closed is never written again: no check is needed.
        if (value.endTime !== undefined && value.endTime < cutoff) batch.push({ delete: key });
        if (batch.length >= Math.min(100, this.channels.jobs.supports.maxOps)) await flush();
      }
      await flush();
    }
    return { removed };
  }

  #keepSweeping(rest: number): void {
    this.#cancelSweep = this.#clock.after(rest, () => {
      void inBackground(() => this.#locks.sweepInTurn()).then(() => {
        if (this.#closed === undefined) this.#keepSweeping(this.#locks.nextSweep());
      });
    });
  }

  /** @internal Closes the runs that were left open. */
  async closeOpenRuns(why: string): Promise<boolean> {
    const runs = [...this.#open];
    await Promise.allSettled(runs.map((run) => run.abandon(why)));
    return runs.length > 0;
  }

  /** Closes open runs as `lost`, gives back their locks, ends the session and closes the channels. Calling it again does nothing. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    forgetOnExit(this);
    this.#cancelSweep();
    this.#strays.close();
    await this.#locks.stop();
    await this.#starting.none();
    await this.closeOpenRuns("its manager was closed");
    try {
      await this.#locks.close();
    } finally {
      await closeChannels({ ...this.channels, turns: this.#turns });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
