import type { Channel } from "../channel/channel.js";
import { isChannelError } from "../channel/errors.js";
import type { Key, KeyWatch, Version } from "../channel/types.js";
import { type Followed, follow, RETRY_PAUSE, UpToDate } from "../channel/watch/follow.js";
import { stopRequestsOf } from "../jobs/audit.js";
import type { LogItem, LogOptions, Progress } from "../jobs/logs/types.js";
import { runOf } from "../jobs/records/orphans.js";
import { recordUnder } from "../jobs/records/read.js";
import { recordKey, toRecord } from "../jobs/records/record.js";
import { type RunRef, runId } from "../jobs/run-id.js";
import type { AuditEntry, JobSummary, RunRecord } from "../jobs/types.js";
import type { Hold, LocksValue, Ticket } from "../locks/entries/schema.js";
import { holdOf, isLock, isSession, lockPlace, sessionPlace, ticketsOf } from "../locks/entries/valid.js";
import { heldLock, waiterOf } from "../locks/entries/view.js";
import type { HeldLock, Holder, Waiter, WaitersOptions } from "../locks/types.js";
import type { Clock } from "../util/clock.js";
import { type ProcessIdentity, processIsGone } from "../util/process-state.js";
import { present } from "../util/shape.js";
import { usually } from "./job-summary.js";

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

/**
 * For how long the usual duration of a job is not read again, in ms, and for how many jobs it is remembered.
 */
const USUAL_FOR = 10_000;
const USUAL_NAMES_LIMIT = 1_000;

/**
 * How many new runs a second are followed from their start. In a busier store, a run is followed once it has
 * lasted for {@link MOMENT}, in ms: most are over by then, and following each would cost half a dozen reads.
 */
const FOLLOWED_AT_ONCE = 10;
const MOMENT = 500;

/** Why the watches of a run end. A new error for each of many runs would cost as much as a read. */
const OVER = new Error("the run is over");

/** The parts of the manager that a live view uses. */
export interface LiveSource {
  readonly jobs: Channel<RunRecord>;
  readonly locks: Channel<LocksValue>;
  readonly clock: Clock;
  log(run: RunRef, options: LogOptions): AsyncGenerator<LogItem, void, undefined>;
}

/** A run while its lock is held. */
interface Watched extends Stoppable {
  /** The name of its lock. */
  readonly lock: string;
  readonly version: Version;
  record?: RunRecord;
  usual?: ActiveRun["usual"];
  progress?: Progress;
  watch?: KeyWatch;
  /** Cancels the start of the watch, if that is deferred. */
  cancelWatch?: () => void;
}

/**
 * The active runs of all processes, kept up to date by watches: of the locks, and of the record and the
 * progress of each run. Nothing is read twice. See {@link JobManager.followRuns}.
 *
 * Where more than {@link FOLLOWED_AT_ONCE} runs begin in a second, a run appears once it lasts for
 * {@link MOMENT}.
 */
export class LiveRuns {
  /** Resolves when all active runs are known; rejects if the store cannot be read. */
  readonly ready: Promise<void>;
  readonly #source: LiveSource;
  readonly #options: FollowRunsOptions;
  readonly #sessions: LiveSessions;
  readonly #stops: LiveStops;
  /** By their locks. */
  readonly #runs: Map<string, Watched> = new Map();
  /** By their names: those that have a lock of another name. */
  readonly #others: Map<string, Set<Watched>> = new Map();
  readonly #waiting: Map<string, readonly Ticket[]> = new Map();
  readonly #holds: Map<string, Hold> = new Map();
  readonly #locks: Map<string, HeldLock> = new Map();
  readonly #usual: Map<string, { readonly at: number; readonly usual: ActiveRun["usual"] }> = new Map();
  readonly #closing: AbortController = new AbortController();
  readonly #upToDate: UpToDate = new UpToDate();
  /** The new runs of the current second, and when it began. */
  #second: { from: number; runs: number } = { from: 0, runs: 0 };
  #isSynced = false;
  /** The first reads of records: the active runs are known once they are over. */
  readonly #reading: Set<Promise<void>> = new Set();

  /** @internal Made by {@link JobManager.followRuns}. */
  constructor(source: LiveSource, options: FollowRunsOptions) {
    this.#source = source;
    this.#options = options;
    this.#sessions = new LiveSessions(source.clock, {
      asked: (instance) => this.#stops.asked(instance, this.#runs.values()),
      came: (instance) => this.#came(instance),
      begun: () => this.#upToDate.begun(this.#sessions),
      synced: () => {
        this.#upToDate.synced(this.#sessions);
        void this.#stops.look(this.#runs.values());
      },
    });
    this.#stops = new LiveStops(source.locks, source.clock, (name) => this.#report(name));
    this.ready = this.#begin();
    this.ready.catch(() => {});
  }

  /**
   * Resolves once the known state is complete: at once, unless a watch missed changes. Runs that began less
   * than {@link MOMENT} ago, in a busy second, may be missing.
   */
  async upToDate(): Promise<void> {
    await this.#upToDate.wait();
    await Promise.all(this.#reading);
  }

  /** The active runs, by name. */
  runs(): ActiveRun[] {
    const runs = [...this.#runs.values()].flatMap((watched) => this.#shown(watched) ?? []);
    return runs.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The active run of a job. If it has several, each with another lock: that with its own, or the latest. */
  run(name: string): ActiveRun | undefined {
    const own = this.#runs.get(name);
    if (own?.name === name) return this.#shown(own);
    const others = [...(this.#others.get(name) ?? [])].sort((a, b) => b.startTime - a.startTime);
    return others[0] && this.#shown(others[0]);
  }

  /** The names whose lock has waiters, and how many. */
  waiting(): ReadonlyMap<string, number> {
    return new Map([...this.#waiting].map(([name, tickets]) => [name, tickets.length]));
  }

  /** The jobs that people hold, by name. */
  holds(): ReadonlyMap<string, Hold> {
    return this.#holds;
  }

  /** The held locks, by name, as {@link JobManager.locks} lists them. */
  locks(): HeldLock[] {
    return [...this.#locks.keys()].sort().flatMap((name) => this.lock(name) ?? []);
  }

  /** The lock of a job, if it is held. */
  lock(name: string): HeldLock | undefined {
    const lock = this.#locks.get(name);
    return lock && { ...lock, waiting: this.#waiting.get(name)?.length ?? 0 };
  }

  /** The processes that wait for the lock of a job, as {@link JobManager.waiters} shows them. */
  waiters(name: string, { limit = 100 }: WaitersOptions = {}): Waiter[] {
    const tickets = this.#waiting.get(name)?.slice(0, limit) ?? [];
    return tickets.flatMap((ticket) => {
      const process = this.#sessions.of(ticket.session);
      return process === undefined ? [] : [waiterOf(ticket, process)];
    });
  }

  /** The processes that have locks or wait for one, or did so a moment ago. */
  sessions(): LiveSession[] {
    return this.#sessions.all();
  }

  /** Whether a session is certainly over: it expired, or its process here died. False until all are known. */
  isOver(holder: Holder): boolean {
    return this.#sessions.isOver(holder.instance);
  }

  /** Ends the watches. */
  close(): void {
    this.#closing.abort();
    for (const name of [...this.#runs.keys()]) this.#end(name);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #shown({ record, lock, version, instance, usual, progress, asked }: Watched): ActiveRun | undefined {
    if (record === undefined || record.status !== "running") return undefined;
    const more = present({ usual, progress, lease: this.#sessions.of(instance)?.lease, stopRequest: asked });
    return { ...record, fence: version, ...more, waiting: this.#waiting.get(lock)?.length ?? 0 };
  }

  #begin(): Promise<void> {
    const { signal } = this.#closing;
    const { locks, clock } = this.#source;
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => {
        reject(error);
        if (!signal.aborted) this.#options.failed?.(error);
      };
      const followed: Followed<LocksValue> = {
        begun: () => {
          this.#isSynced = false;
          this.#upToDate.begun(followed);
        },
        put: (key, value, version) => this.#put(key, value, version),
        gone: (key) => this.#gone(key),
        synced: () => {
          this.#isSynced = true;
          this.#upToDate.synced(followed);
          void Promise.all([...this.#reading, this.#stops.look(this.#runs.values())]).then(() => resolve());
        },
      };
      follow(locks, clock, ["session"], this.#sessions, signal, failed).catch(() => {});
      // Once the signal has fired, no further events come.
      follow(locks, clock, ["lock"], followed, signal, failed).then(
        () => signal.aborted && resolve(),
        () => {},
      );
    });
  }

  #put(key: Key, value: LocksValue | undefined, version: Version): void {
    const place = lockPlace(key);
    if (place === undefined) return;
    if (place.part === "queue") this.#queued(place.name, value);
    else this.#locked(place.name, value, version);
    this.#reportLock(place.name);
  }

  #gone(key: Key): void {
    const place = lockPlace(key);
    if (place === undefined) return;
    if (place.part === "queue") this.#waiting.delete(place.name);
    else {
      this.#locks.delete(place.name);
      this.#end(place.name);
    }
    this.#reportLock(place.name);
  }

  #queued(name: string, value: unknown): void {
    const tickets = ticketsOf(value);
    if (tickets.length > 0) this.#waiting.set(name, tickets);
    else this.#waiting.delete(name);
  }

  /** The watch of the locks may report a waiter before that of the sessions reports its process. */
  #came(instance: string): void {
    for (const [name, tickets] of this.#waiting) {
      if (tickets.some(({ session }) => session === instance)) this.#reportLock(name);
    }
  }

  #locked(name: string, value: unknown, version: Version): void {
    this.#locks.delete(name);
    if (isLock(value, name)) this.#locks.set(name, heldLock({ value, version }, undefined));
    if (this.#runs.get(name)?.version === version) return;
    this.#end(name);
    if (!isLock(value, name)) return;
    const hold = holdOf(value);
    if (hold !== undefined) this.#holds.set(name, hold);
    const { name: job, startTime } = runOf(value);
    if (startTime === undefined) return;
    this.#began({ name: job, lock: name, startTime, version, instance: value.holder.instance });
  }

  #began(held: Omit<Watched, "over">): void {
    const watched: Watched = { ...held, over: new AbortController() };
    this.#runs.set(held.lock, watched);
    if (held.name !== held.lock) this.#others.set(held.name, (this.#others.get(held.name) ?? new Set()).add(watched));
    this.#stops.began(watched);
    if (this.#isBusy()) watched.cancelWatch = this.#source.clock.after(MOMENT, () => this.#watchLate(watched));
    else this.#watch(watched);
  }

  #watchLate(watched: Watched): void {
    try {
      this.#watch(watched);
    } catch {
      // The manager was closed meanwhile, and the watch of the locks has failed with it.
    }
  }

  /** Whether many runs have begun in this second. Those that were active before are followed at once. */
  #isBusy(): boolean {
    if (!this.#isSynced) return false;
    const now = this.#source.clock.monotonic();
    if (now - this.#second.from >= 1_000) this.#second = { from: now, runs: 0 };
    return ++this.#second.runs > FOLLOWED_AT_ONCE;
  }

  #watch(watched: Watched): void {
    const read = (): Promise<void> => this.#read(watched);
    // With two stores, the record comes after the lock.
    const key = recordKey(watched.name, watched.startTime);
    watched.watch = this.#source.jobs.watchKey(key, { changed: read, gap: read, failed() {} });
    // If the store is away for this moment, the watch continues, and reports the next change.
    const reading = watched.watch.ready.then(read, read);
    this.#reading.add(reading);
    void reading.then(() => this.#reading.delete(reading));
    void this.#followProgress(watched);
    void this.#learnUsual(watched);
  }

  async #read(watched: Watched): Promise<void> {
    if (watched.over.signal.aborted) return;
    try {
      const entry = await recordUnder(this.#source.jobs, recordKey(watched.name, watched.startTime));
      if (entry !== undefined) watched.record = toRecord(entry);
      this.#report(watched.name);
    } catch {
      // The store is away. Not every store reports a gap afterwards.
      if (!watched.over.signal.aborted) this.#source.clock.after(RETRY_PAUSE, () => void this.#read(watched));
    }
  }

  async #learnUsual(watched: Watched): Promise<void> {
    const { name } = watched;
    const { jobs, clock } = this.#source;
    const known = this.#usual.get(name);
    if (known !== undefined && clock.monotonic() - known.at < USUAL_FOR) {
      watched.usual = known.usual;
      return;
    }
    try {
      watched.usual = await usually(jobs, name);
      if (this.#usual.size >= USUAL_NAMES_LIMIT) this.#usual.clear();
      // For a job that has never completed, read again at the next run.
      if (watched.usual !== undefined) this.#usual.set(name, { at: clock.monotonic(), usual: watched.usual });
      this.#report(name);
    } catch {
      // The run is shown even without its usual duration.
    }
  }

  async #followProgress(watched: Watched): Promise<void> {
    const { signal } = watched.over;
    try {
      for await (const item of this.#source.log(watched, { follow: true, progress: true, tail: 0, signal })) {
        if (!("progress" in item)) continue;
        watched.progress = item.progress;
        this.#report(watched.name);
      }
    } catch {
      // The run is shown even without its progress.
    }
  }

  #end(lock: string): void {
    this.#holds.delete(lock);
    const watched = this.#runs.get(lock);
    if (watched === undefined) return;
    this.#runs.delete(lock);
    const others = this.#others.get(watched.name);
    if (others?.delete(watched) === true) this.#report(watched.name);
    if (others?.size === 0) this.#others.delete(watched.name);
    watched.cancelWatch?.();
    watched.over.abort(OVER);
    watched.watch?.stop();
  }

  /** Reports a lock, and the run of another name that has it. */
  #reportLock(name: string): void {
    this.#report(name);
    const run = this.#runs.get(name);
    if (run !== undefined && run.name !== name) this.#report(run.name);
  }

  #report(name: string): void {
    if (!this.#closing.signal.aborted) this.#options.changed?.(name);
  }
}

/** The other events of the watch of the sessions. */
interface SessionNews {
  /** A process received a request to stop one of its runs. */
  readonly asked: (instance: string) => void;
  /** The session of a process was not known before. */
  readonly came: (instance: string) => void;
  /** Changes may have been missed. */
  readonly begun: () => void;
  /** A snapshot is complete: earlier requests may not have been reported. */
  readonly synced: () => void;
}

/** The processes that have locks or wait for one, kept up to date by a watch of their sessions. */
class LiveSessions implements Followed<LocksValue> {
  readonly #clock: Clock;
  readonly #news: SessionNews;
  readonly #all: Map<string, { readonly shown: LiveSession; readonly process: ProcessIdentity }> = new Map();
  /** Sessions that a later version may have written: they live until their entries expire. */
  readonly #unknown: Set<string> = new Set();
  #isSynced = false;

  constructor(clock: Clock, news: SessionNews) {
    this.#clock = clock;
    this.#news = news;
  }

  of(instance: string): LiveSession | undefined {
    return this.#all.get(instance)?.shown;
  }

  all(): LiveSession[] {
    return [...this.#all.values()].map(({ shown }) => shown);
  }

  /** Whether a session is certainly over: its entry is gone, or its process on this host died. */
  isOver(instance: string): boolean {
    const session = this.#all.get(instance);
    if (!this.#isSynced || this.#unknown.has(instance)) return false;
    return session === undefined || processIsGone(session.process);
  }

  begun(): void {
    this.#isSynced = false;
    this.#news.begun();
  }

  put(key: Key, value: LocksValue | undefined, _: Version, expiresIn: number | undefined): void {
    const id = sessionPlace(key);
    if (id === undefined) return;
    if ((key as readonly unknown[])[2] === "stop") this.#news.asked(id);
    if ((key as readonly unknown[]).length > 2) return;
    if (!isSession(value, id)) {
      if (expiresIn !== undefined) this.#unknown.add(id);
      return;
    }
    this.#unknown.delete(id);
    const { host, pid } = value.process;
    const now = this.#clock.now();
    const isNew = !this.#all.has(id);
    // An entry of a snapshot was renewed at an unknown earlier time.
    const isRenewed = this.#isSynced && value.hold !== true && expiresIn !== undefined;
    const lease = isRenewed ? { until: now + expiresIn, renewed: now } : this.of(id)?.lease;
    const hold = value.hold === true ? value.hold : undefined;
    const shown = { host, pid, instance: id, since: value.since, ...present({ lease, hold }) };
    this.#all.set(id, { shown, process: value.process });
    if (isNew) this.#news.came(id);
  }

  gone(key: Key): void {
    const id = sessionPlace(key);
    if (id === undefined || (key as readonly unknown[]).length > 2) return;
    this.#all.delete(id);
    this.#unknown.delete(id);
  }

  synced(): void {
    this.#isSynced = true;
    this.#news.synced();
  }
}

/** A run that can be requested to stop. */
interface Stoppable extends RunRef {
  readonly instance: string;
  readonly over: AbortController;
  asked?: AuditEntry;
}

/**
 * The authors of stop requests. The watch of the sessions reports that a process received one: only then is
 * the audit read, and once for all runs that are known at first.
 */
class LiveStops {
  readonly #locks: Channel<LocksValue>;
  readonly #clock: Clock;
  readonly #report: (name: string) => void;
  /** The processes with a request: a run may become known after its request. */
  readonly #processes: Set<string> = new Set();
  readonly #unread: Set<Stoppable> = new Set();
  #reading: Promise<void> | undefined;

  constructor(locks: Channel<LocksValue>, clock: Clock, report: (name: string) => void) {
    this.#locks = locks;
    this.#clock = clock;
    this.#report = report;
  }

  /** Called when a run becomes known. */
  began(run: Stoppable): void {
    if (this.#processes.has(run.instance)) void this.look([run]);
  }

  /** Called when a process received a request. */
  asked(instance: string, runs: Iterable<Stoppable>): void {
    this.#processes.add(instance);
    void this.look([...runs].filter((run) => run.instance === instance));
  }

  /** Reads who requested these runs to stop. Resolves at once if the store is away: then it reads later. */
  look(runs: Iterable<Stoppable>): Promise<void> {
    for (const run of runs) this.#unread.add(run);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    while (this.#unread.size > 0) {
      const runs = [...this.#unread].filter(({ over }) => !over.signal.aborted);
      this.#unread.clear();
      try {
        await this.#readOf(runs);
      } catch (error) {
        if (!isChannelError(error) || !error.retryable) return;
        for (const run of runs) this.#unread.add(run);
        this.#clock.after(RETRY_PAUSE, () => void this.look([]));
        return;
      }
    }
  }

  async #readOf(runs: readonly Stoppable[]): Promise<void> {
    const refs = runs.map(({ name, startTime }) => ({ name, startTime, id: runId({ name, startTime }) }));
    const asked = await stopRequestsOf(this.#locks, refs);
    for (const run of runs) {
      const entry = asked.get(runId(run));
      if (entry === undefined) continue;
      run.asked = entry;
      this.#report(run.name);
    }
  }
}
