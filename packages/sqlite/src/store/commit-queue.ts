import { ChannelError, type Commit, type CommitOutcome, durationText } from "@ojm/core/backend";
import { abortedError, codeOf, isBusy, toChannelError } from "../errors.js";
import { PATIENCE, PAUSE } from "../patience.js";
import type { WriteTransaction } from "./transaction.js";

/** The most operations in one transaction, so that other processes and the event loop get their turn. */
const BATCH_OPS = 2_000;

/** Other work than a commit that needs a write transaction. */
export type Task<T> = (transaction: WriteTransaction) => T;

interface Pending {
  readonly work: Commit | Task<unknown>;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  /** When it times out, in ms of `performance.now()`; 0 while no other process has been in the way. */
  giveUp: number;
}

/** The state of the queue: no work, about to run, or waiting until another process has written. */
type State = "idle" | "soon" | "waiting";

/** The callbacks of a {@link CommitQueue}. */
export interface QueueEvents {
  /** Called before a transaction begins. If it throws, the batch fails. */
  before(): void;
  /** Called inside each transaction, before its commits. */
  inside(transaction: WriteTransaction): void;
  /** Called after each committed transaction. */
  after(transaction: WriteTransaction): void;
}

/**
 * Writes commits in order. Commits of one turn of the event loop share one transaction: one wait for the
 * disk, and one database lock. Each commit is judged and answered by itself.
 */
export class CommitQueue {
  readonly #file: string;
  readonly #transaction: WriteTransaction;
  readonly #events: QueueEvents;
  #pending: Pending[] = [];
  #state: State = "idle";
  /** How many of the first pending commits run alone, because one failed their shared transaction. */
  #alone = 0;
  #whenIdle: (() => void)[] = [];

  constructor(file: string, transaction: WriteTransaction, events: QueueEvents) {
    this.#file = file;
    this.#transaction = transaction;
    this.#events = events;
  }

  /** Queues a commit. Rejects with `TIMEOUT`, not applied, after {@link PATIENCE} behind other processes. */
  commit(commit: Commit, signal: AbortSignal | undefined): Promise<CommitOutcome> {
    return this.#push(commit, signal);
  }

  /** Queues a task. It may run more than once: if its transaction fails, its changes are undone. */
  run<T>(task: Task<T>): Promise<T> {
    return this.#push(task, undefined);
  }

  /**
   * Runs the queue now instead of at the end of this turn, so that a read sees the earlier writes of its
   * program, awaited or not. Does nothing while another process is in the way: reads do not wait for writers.
   */
  flush(): void {
    while (this.#state === "soon") this.#turn();
  }

  /** Resolves once nothing is pending. */
  idle(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #push<T>(work: Commit | Task<T>, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({ work, signal, resolve, reject, giveUp: 0 });
      if (this.#state !== "idle") return;
      this.#state = "soon";
      // Run after the microtasks of this turn, which add the other commits of a busy program.
      process.nextTick(this.#next);
    });
  }

  readonly #next = (): void => {
    // A flush may have run the queue already.
    if (this.#state === "soon") this.#turn();
  };

  readonly #turn = (): void => {
    this.#state = "idle";
    const batch = this.#take();
    if (batch.length > 0 && !this.#execute(batch)) {
      this.#pending = batch.concat(this.#pending);
      this.#wait();
    } else if (this.#pending.length > 0) {
      this.#state = "soon";
      setImmediate(this.#next);
    }
    this.#resolveIdle();
  };

  /** Takes the next batch from the queue, and drops aborted commits. */
  #take(): Pending[] {
    const batch: Pending[] = [];
    let ops = 0;
    let taken = 0;
    for (const pending of this.#pending) {
      if (ops >= BATCH_OPS || (this.#alone > 0 && batch.length === 1)) break;
      taken++;
      if (pending.signal?.aborted) {
        pending.reject(abortedError(pending.signal));
        continue;
      }
      batch.push(pending);
      ops += typeof pending.work === "function" ? 1 : pending.work.checks.length + pending.work.writes.length;
    }
    if (taken === this.#pending.length) this.#pending = [];
    else this.#pending.splice(0, taken);
    return batch;
  }

  /** Runs a batch in one transaction and answers it. Returns false if another process is in the way. */
  #execute(batch: readonly Pending[]): boolean {
    const transaction = this.#transaction;
    const results: unknown[] = [];
    let committing = false;
    try {
      this.#events.before();
      transaction.begin();
      this.#events.inside(transaction);
      for (const { work } of batch)
        results.push(typeof work === "function" ? work(transaction) : transaction.apply(work));
      committing = true;
      transaction.commit();
    } catch (error) {
      transaction.rollback();
      if (isBusy(error)) return false;
      this.#fail(batch, error, committing);
      return true;
    }
    this.#alone = Math.max(0, this.#alone - 1);
    for (let i = 0; i < batch.length; i++) batch[i]?.resolve(results[i] as never);
    this.#events.after(transaction);
    return true;
  }

  /** Run each commit of a failed batch again in its own transaction: one must not fail because of another. */
  #fail(batch: readonly Pending[], error: unknown, committing: boolean): void {
    if (batch.length > 1) {
      this.#pending = batch.concat(this.#pending);
      this.#alone += batch.length;
      return;
    }
    this.#alone = Math.max(0, this.#alone - 1);
    // If the disk fails at the last step, the write may still appear after a crash.
    const unknown = committing && codeOf(error).startsWith("SQLITE_IOERR");
    for (const { reject } of batch) reject(toChannelError(error, this.#file, unknown ? "unknown" : "not-applied"));
  }

  #wait(): void {
    const now = performance.now();
    for (const pending of this.#pending) {
      if (pending.giveUp === 0) pending.giveUp = now + PATIENCE;
    }
    while (this.#pending[0] && this.#pending[0].giveUp <= now) this.#pending.shift()?.reject(this.#timeout());
    if (this.#pending.length === 0) return;
    this.#state = "waiting";
    setTimeout(this.#turn, PAUSE);
  }

  #timeout(): ChannelError {
    return new ChannelError(
      "TIMEOUT",
      `SQLite file ${this.#file}: other processes kept it locked for ${durationText(PATIENCE)}. Nothing was written; try again`,
      { retryable: true },
    );
  }

  #resolveIdle(): void {
    if (this.#pending.length > 0 || this.#whenIdle.length === 0) return;
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }
}
