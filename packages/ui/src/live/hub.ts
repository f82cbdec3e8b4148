import { randomBytes } from "node:crypto";
import { ChannelError, type JobManager } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { type ActiveRun, channelsAnswer, isOwn } from "@ojm/core/internal";
import { followStore, type LiveStore, type SnapshotOptions, type StoreSnapshot } from "@ojm/schedule/operator";
import type { Events, Running } from "../contract/types.js";
import { runningOf } from "../view/now/now.js";
import { type Followed, JobReads, Shared, take } from "../view/source.js";
import { Ring, type Sent } from "./ring.js";

/** The most runs that are sent: a page with more cannot be read. */
const MAX_RUNS = 500;

/** The runs in progress that the streams know, and the next changes to send. */
class SentRuns {
  readonly #sent: Map<string, { readonly id: string; readonly text: string }> = new Map();
  readonly #mask: (text: string) => string;

  constructor(mask: (text: string) => string) {
    this.#mask = mask;
  }

  /** The names of the runs that were sent. */
  names(): IterableIterator<string> {
    return this.#sent.keys();
  }

  /** All runs in progress, sent again. */
  all(runs: readonly ActiveRun[], now: number): Running[] {
    this.#sent.clear();
    return shown(runs).map((run) => this.#remember(run, now));
  }

  /** The same for a client that joins later. The other clients still get only changes. */
  view(runs: readonly ActiveRun[], now: number): Running[] {
    return shown(runs).map((run) => runningOf(run, now, { mask: this.#mask }));
  }

  /**
   * The changes of these names. `find`: the running run of a name. `changed`: the names that have a run which
   * started or ended.
   */
  difference(
    names: Iterable<string>,
    find: (name: string) => ActiveRun | undefined,
    now: number,
  ): { readonly put: readonly Running[]; readonly gone: readonly string[]; readonly changed: readonly string[] } {
    const put: Running[] = [];
    const [gone, changed]: [string[], string[]] = [[], []];
    for (const name of names) {
      if (isOwn(name)) continue;
      const [before, run] = [this.#sent.get(name), find(name)];
      if (before !== undefined && before.id !== run?.id) {
        gone.push(before.id);
        this.#sent.delete(name);
      }
      // Includes a run that started and ended between two checks.
      if (run === undefined || before?.id !== run.id) changed.push(name);
      if (run === undefined || (!this.#sent.has(name) && this.#sent.size >= MAX_RUNS)) continue;
      const running = this.#remember(run, now);
      if (before?.id !== run.id || before.text !== this.#sent.get(name)?.text) put.push(running);
    }
    return { put, gone, changed };
  }

  #remember(run: ActiveRun, now: number): Running {
    const running = runningOf(run, now, { mask: this.#mask });
    this.#sent.set(run.name, { id: run.id, text: JSON.stringify({ ...running, elapsed: 0 }) });
    return running;
  }
}

function shown(runs: readonly ActiveRun[]): readonly ActiveRun[] {
  return runs.filter(({ name }) => !isOwn(name)).slice(0, MAX_RUNS);
}

/** Changes within this time are sent together, in ms. The first one is sent at once. */
const COALESCE = 50;

/** How often the store is polled, and how long to wait for its answer. */
const CHECK_EVERY = 2_000;
const CHECK_TIMEOUT = 3_000;

/** How often the leases of running runs are sent. */
const LEASES_EVERY = 5_000;

/** How long the store is still followed without clients. */
const IDLE_LIFE = 60_000;

/** How long the names that have a record are cached. New names are added as they appear. */
const NAMES_LIFE = 60_000;

interface Following {
  readonly store: LiveStore;
  readonly over: AbortController;
  isReady: boolean;
}

type Listener = (sent: Sent) => void;

/** Follows the store once for all clients, and sends them the changes. */
export class Hub implements Followed {
  readonly epoch: string = randomBytes(6).toString("hex");
  readonly ring: Ring = new Ring();
  readonly reads: JobReads = new JobReads();
  readonly #manager: JobManager;
  readonly #sent: SentRuns;
  readonly #listeners: Set<Listener> = new Set();
  readonly #dirty: Set<string> = new Set();
  readonly #changed: Set<string> = new Set();
  readonly #names: Shared<Set<string>>;
  readonly #orphans: NonNullable<SnapshotOptions["orphans"]>;
  #following: Following | undefined;
  #timers: NodeJS.Timeout[] = [];
  #flushTimer: NodeJS.Timeout | undefined;
  #lastFlush = Number.NEGATIVE_INFINITY;
  #lastUse = 0;
  /** When the store last answered, in ms since 1970. */
  #answered: number = Date.now();
  #isStale = false;
  #closed = false;

  /** `orphans`: see {@link SnapshotOptions}. */
  constructor(manager: JobManager, mask: (text: string) => string, orphans: NonNullable<SnapshotOptions["orphans"]>) {
    this.#manager = manager;
    this.#orphans = orphans;
    this.#sent = new SentRuns(mask);
    this.#names = new Shared(async () => new Set(await take(manager.jobNames(), Number.POSITIVE_INFINITY)), {
      life: NAMES_LIFE,
      whileRead: true,
    });
  }

  store(): Promise<LiveStore> {
    return this.#inTime(async (store) => store);
  }

  snapshot(): Promise<StoreSnapshot> {
    return this.#inTime((store) => store.fresh());
  }

  /** What is known of a store that is away may be old: it must not look like news. */
  async #inTime<T>(ask: (store: LiveStore) => Promise<T>): Promise<T> {
    this.#lastUse = performance.now();
    if (this.#isStale) await this.#check();
    if (this.#isStale) throw new ChannelError("UNAVAILABLE", "the store does not answer", { retryable: true });
    const { store } = this.#follow();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const text = `the store did not answer within ${durationText(CHECK_TIMEOUT)}`;
      timer = setTimeout(() => reject(new ChannelError("TIMEOUT", text, { retryable: true })), CHECK_TIMEOUT);
    });
    try {
      return await Promise.race([store.upToDate().then(() => ask(store)), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  names(): Promise<ReadonlySet<string>> {
    this.#follow();
    return this.#names.get();
  }

  /** Calls `listener` with each event from now on. Call the result to stop. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    this.#follow();
    return () => {
      this.#lastUse = performance.now();
      this.#listeners.delete(listener);
    };
  }

  /** The state that a new listener needs: all running runs, and whether the store is away. */
  state(): { readonly running?: Events["running"]; readonly stale?: Events["stale"] } {
    const now = Date.now();
    const live = this.#following?.isReady === true ? this.#following.store.runs : undefined;
    return {
      ...(live && { running: { at: now, all: true, put: this.#sent.view(live.runs(), now), gone: [] } }),
      ...(this.#isStale && { stale: { since: this.#answered } }),
    };
  }

  touch(name: string): void {
    this.reads.changed(name);
    this.#changed.add(name);
    this.#soon();
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    this.#listeners.clear();
  }

  #follow(): Following {
    if (this.#closed) throw new ChannelError("CLOSED", "this UI is closed");
    this.#lastUse = performance.now();
    if (this.#following !== undefined) return this.#following;
    const over = new AbortController();
    const changed = (name: string | undefined, of: "runs" | "others"): void => {
      if (name === undefined) return;
      this.reads.changed(name);
      (of === "runs" ? this.#dirty : this.#changed).add(name);
      this.#soon();
    };
    const failed = (): void => this.#gone(following);
    const store = followStore(this.#manager, { changed, failed, orphans: this.#orphans, signal: over.signal });
    const following = { store, over, isReady: false };
    this.#following = following;
    store.ready.then(() => this.#ready(following), failed);
    if (this.#timers.length === 0) this.#begin();
    return following;
  }

  #begin(): void {
    this.#timers = [
      setInterval(() => void this.#check(), CHECK_EVERY),
      setInterval(() => this.#sendAgain(), LEASES_EVERY),
    ];
    // They must not keep the program alive.
    for (const timer of this.#timers) timer.unref();
  }

  #sendAgain(): void {
    for (const name of this.#sent.names()) this.#dirty.add(name);
    this.#soon();
  }

  #ready(following: Following): void {
    if (this.#following !== following) return;
    following.isReady = true;
    this.#dirty.clear();
    const at = Date.now();
    this.#emit("running", { at, all: true, put: this.#sent.all(following.store.runs.runs(), at), gone: [] });
  }

  /** The store cannot be followed: the next check starts again. */
  #gone(following: Following): void {
    if (this.#following !== following) return;
    this.#unfollow();
    this.#stale();
  }

  async #check(): Promise<void> {
    const isUsed = this.#listeners.size > 0 || performance.now() - this.#lastUse < IDLE_LIFE;
    if (!isUsed) return this.#stop();
    const { jobs, locks } = this.#manager.channels;
    if (!(await channelsAnswer([locks, jobs], AbortSignal.timeout(CHECK_TIMEOUT)))) return this.#stale();
    this.#answered = Date.now();
    if (this.#listeners.size > 0 && this.#following === undefined && !this.#closed) this.#follow();
    if (!this.#isStale) return;
    this.#isStale = false;
    this.#emit("fresh", { at: this.#answered });
    this.#sendAgain();
  }

  #stale(): void {
    if (this.#isStale || this.#closed) return;
    this.#isStale = true;
    this.#emit("stale", { since: this.#answered });
  }

  #soon(): void {
    if (this.#flushTimer !== undefined || this.#closed) return;
    const wait = Math.max(0, this.#lastFlush + COALESCE - performance.now());
    this.#flushTimer = setTimeout(() => this.#flush(), wait);
    this.#flushTimer.unref();
  }

  #flush(): void {
    this.#flushTimer = undefined;
    this.#lastFlush = performance.now();
    const following = this.#following;
    const at = Date.now();
    if (following?.isReady === true && this.#dirty.size > 0) {
      const find = (name: string): ActiveRun | undefined => following.store.runs.run(name);
      const { put, gone, changed } = this.#sent.difference(this.#dirty, find, at);
      this.#dirty.clear();
      for (const name of changed) this.#changed.add(name);
      if (put.length > 0 || gone.length > 0) this.#emit("running", { at, put, gone });
    }
    if (this.#changed.size === 0) return;
    const names = [...this.#changed];
    this.#changed.clear();
    const add = (known: Set<string>): void => {
      // A maintenance is no job.
      for (const name of names) if (name !== "*") known.add(name);
    };
    this.#names.get().then(add, () => {});
    this.#emit("changed", { at, names });
  }

  #emit<Name extends keyof Events>(event: Name, data: Events[Name]): void {
    const sent = this.ring.add(event, data);
    for (const listener of this.#listeners) listener(sent);
  }

  #stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#unfollow();
  }

  #unfollow(): void {
    this.#following?.over.abort();
    this.#following = undefined;
    this.reads.clear();
  }
}
