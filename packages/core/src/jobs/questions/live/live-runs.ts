import type { Channel } from "../../../channel/channel.js";
import type { KeyWatch, Version, WatchEvent } from "../../../channel/types.js";
import type { LocksValue, Ticket } from "../../../locks/entries/schema.js";
import { isLock, isQueue, lockPlace } from "../../../locks/entries/valid.js";
import { waiterOf } from "../../../locks/entries/waiters.js";
import type { Waiter, WaitersOptions } from "../../../locks/types.js";
import type { Clock } from "../../../util/clock.js";
import { fieldsOf, isTime } from "../../../util/shape.js";
import type { LogItem, LogOptions, Progress } from "../../logs/types.js";
import { recordUnder } from "../../records/read.js";
import { recordKey, toRecord } from "../../records/record.js";
import type { RunRef } from "../../run-id.js";
import type { RunRecord } from "../../types.js";
import { AGAIN, untilOver } from "./again.js";
import { LiveSessions } from "./sessions.js";
import { LiveStops, type Stoppable } from "./stops.js";
import type { LiveOptions, LiveRun, LiveSession } from "./types.js";
import { usually } from "./usual.js";

/** What is needed of the manager. */
export interface Followed {
  readonly jobs: Channel<RunRecord>;
  readonly locks: Channel<LocksValue>;
  readonly clock: Clock;
  log(run: RunRef, options: LogOptions): AsyncGenerator<LogItem, void, undefined>;
}

/** A run while its lock is held. */
interface Watched extends Stoppable {
  readonly version: Version;
  record?: RunRecord;
  usual?: LiveRun["usual"];
  progress?: Progress;
  watch?: KeyWatch;
}

/**
 * The runs that go on, in all processes, kept up to date by watches: of the locks, and of the record and the
 * progress of each run. Nothing is read twice. See {@link JobManager.live}.
 */
export class LiveRuns {
  /** Resolves when all is known that runs; rejects if the store cannot be read. */
  readonly ready: Promise<void>;
  readonly #source: Followed;
  readonly #options: LiveOptions;
  readonly #sessions: LiveSessions;
  readonly #stops: LiveStops;
  readonly #runs: Map<string, Watched> = new Map();
  readonly #waiting: Map<string, readonly Ticket[]> = new Map();
  readonly #closing: AbortController = new AbortController();
  /** The first reads of records: what runs is known when they are over. */
  readonly #reading: Set<Promise<void>> = new Set();
  /** After a gap: what the new snapshot has not shown so far. */
  #unseen: Set<string> | undefined;

  /** @internal Made by {@link JobManager.live}. */
  constructor(source: Followed, options: LiveOptions) {
    this.#source = source;
    this.#options = options;
    this.#sessions = new LiveSessions(source.clock, {
      asked: (instance) => this.#stops.asked(instance, this.#runs.values()),
      came: (instance) => this.#came(instance),
      synced: () => void this.#stops.look(this.#runs.values()),
    });
    this.#stops = new LiveStops(source.locks, source.clock, (name) => this.#tell(name));
    this.ready = this.#begin();
    this.ready.catch(() => {});
  }

  /** The runs that go on, by name. */
  runs(): LiveRun[] {
    const runs: LiveRun[] = [];
    for (const watched of this.#runs.values()) {
      const run = this.#shown(watched);
      if (run !== undefined) runs.push(run);
    }
    return runs.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The run of a job that goes on. */
  run(name: string): LiveRun | undefined {
    const watched = this.#runs.get(name);
    return watched && this.#shown(watched);
  }

  /** The names whose lock others wait for, and how many. */
  waiting(): ReadonlyMap<string, number> {
    return new Map([...this.#waiting].map(([name, tickets]) => [name, tickets.length]));
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

  /** Ends the watches. */
  close(): void {
    this.#closing.abort();
    for (const name of [...this.#runs.keys()]) this.#end(name);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #shown({ record, name, version, instance, usual, progress, asked }: Watched): LiveRun | undefined {
    if (record === undefined || record.status !== "running") return undefined;
    const lease = this.#sessions.of(instance)?.lease;
    return {
      ...record,
      fence: version,
      ...(usual !== undefined && { usual }),
      ...(progress !== undefined && { progress }),
      ...(lease !== undefined && { lease }),
      ...(asked !== undefined && { asked }),
      waiting: this.#waiting.get(name)?.length ?? 0,
    };
  }

  #begin(): Promise<void> {
    const { signal } = this.#closing;
    const { promise, resolve, reject } = withResolvers();
    const failed = (error: unknown): void => {
      reject(error);
      if (!signal.aborted) this.#options.failed?.(error);
    };
    const { locks, clock } = this.#source;
    untilOver(clock, signal, () => this.#sessions.follow(locks, signal)).catch(failed);
    untilOver(clock, signal, () => this.#follow(signal, resolve)).then(resolve, failed);
    return promise;
  }

  async #follow(signal: AbortSignal, known: () => void): Promise<void> {
    this.#unseen = new Set(this.#runs.keys());
    for await (const event of this.#source.locks.watchReadable({ prefix: ["lock"], signal, keepAlive: false })) {
      this.#see(event);
      if (event.type !== "synced") continue;
      void Promise.all([...this.#reading, this.#stops.look(this.#runs.values())]).then(known);
    }
  }

  #see(event: WatchEvent<LocksValue | undefined>): void {
    if (event.type === "gap") this.#unseen = new Set(this.#runs.keys());
    else if (event.type === "synced") this.#synced();
    else {
      const place = lockPlace(event.type === "put" ? event.entry.key : event.key);
      if (place === undefined) return;
      if (event.type === "delete") this.#deleted(place.name, place.part);
      else if (place.part === "queue") this.#queued(place.name, event.entry.value);
      else this.#locked(place.name, event.entry.value, event.entry.version);
      this.#tell(place.name);
    }
  }

  #queued(name: string, value: unknown): void {
    if (isQueue(value) && value.waiting.length > 0) this.#waiting.set(name, value.waiting);
    else this.#waiting.delete(name);
  }

  /** The watch of the locks may tell of a waiter before that of the sessions tells which process it is. */
  #came(instance: string): void {
    for (const [name, tickets] of this.#waiting) {
      if (tickets.some(({ session }) => session === instance)) this.#tell(name);
    }
  }

  #locked(name: string, value: unknown, version: Version): void {
    this.#unseen?.delete(name);
    if (this.#runs.get(name)?.version === version) return;
    this.#end(name);
    if (!isLock(value, name)) return;
    const startTime = fieldsOf<{ run: number }>(value.note)?.run;
    if (isTime(startTime)) this.#watch({ name, startTime, version, instance: value.holder.instance });
  }

  #deleted(name: string, part: "lock" | "queue"): void {
    if (part === "queue") this.#waiting.delete(name);
    else this.#end(name);
  }

  #synced(): void {
    for (const name of this.#unseen ?? []) {
      this.#end(name);
      this.#waiting.delete(name);
      this.#tell(name);
    }
    this.#unseen = undefined;
  }

  #watch(held: Omit<Watched, "over">): void {
    const watched: Watched = { ...held, over: new AbortController() };
    this.#runs.set(held.name, watched);
    this.#stops.began(watched);
    const read = (): Promise<void> => this.#read(watched);
    // With two stores, the record comes after the lock.
    const key = recordKey(held.name, held.startTime);
    watched.watch = this.#source.jobs.watchKey(key, { changed: read, gap: read, failed() {} });
    // The watch goes on, and tells of the next change, where the store is away for this moment.
    const reading = watched.watch.ready.then(read, read);
    this.#reading.add(reading);
    void reading.then(() => this.#reading.delete(reading));
    void this.#followProgress(watched);
    void this.#learnUsual(watched);
  }

  async #read(watched: Watched): Promise<void> {
    try {
      const entry = await recordUnder(this.#source.jobs, recordKey(watched.name, watched.startTime));
      if (entry !== undefined) watched.record = toRecord(entry);
      this.#tell(watched.name);
    } catch {
      // The store is away. Not every store tells of a gap afterwards.
      if (!watched.over.signal.aborted) this.#source.clock.after(AGAIN, () => void this.#readAgain(watched));
    }
  }

  async #readAgain(watched: Watched): Promise<void> {
    if (!watched.over.signal.aborted) await this.#read(watched);
  }

  async #learnUsual(watched: Watched): Promise<void> {
    try {
      watched.usual = await usually(this.#source.jobs, watched.name);
      this.#tell(watched.name);
    } catch {
      // Without its usual duration, the run is shown all the same.
    }
  }

  async #followProgress(watched: Watched): Promise<void> {
    const { signal } = watched.over;
    try {
      for await (const item of this.#source.log(watched, { follow: true, progress: true, tail: 0, signal })) {
        if (!("progress" in item)) continue;
        watched.progress = item.progress;
        this.#tell(watched.name);
      }
    } catch {
      // Without its progress, the run is shown all the same.
    }
  }

  #end(name: string): void {
    const watched = this.#runs.get(name);
    if (watched === undefined) return;
    this.#runs.delete(name);
    watched.over.abort();
    watched.watch?.stop();
  }

  #tell(name: string): void {
    if (!this.#closing.signal.aborted) this.#options.changed?.(name);
  }
}

/** Node 20 has no `Promise.withResolvers`. */
function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve = (): void => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
