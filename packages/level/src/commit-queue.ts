import { type CallOptions, ChannelError, type Commit, type CommitOutcome } from "@ojm/core/backend";
import { Batch, type Versions } from "./batch.js";
import type { Store } from "./store.js";

/** This many expired entries are deleted without waiting for the next commit. */
const MANY_EXPIRED = 1_000;

/** A commit in the queue, and its answer. */
class Waiting {
  readonly commit: Commit;
  readonly answer: Promise<CommitOutcome>;
  readonly #signal: AbortSignal | undefined;
  #settle!: { resolve: (outcome: CommitOutcome) => void; reject: (error: Error) => void };
  #abort: (() => void) | undefined;

  constructor(commit: Commit, signal: AbortSignal | undefined) {
    this.commit = commit;
    this.#signal = signal;
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  onAbort(abort: () => void): void {
    this.#abort = abort;
    this.#signal?.addEventListener("abort", abort, { once: true });
  }

  resolve(outcome: CommitOutcome): void {
    this.#leaveSignal();
    this.#settle.resolve(outcome);
  }

  reject(error: Error): void {
    this.#leaveSignal();
    this.#settle.reject(error);
  }

  #leaveSignal(): void {
    if (this.#abort !== undefined) this.#signal?.removeEventListener("abort", this.#abort);
  }
}

/**
 * The one queue of all commits of a store.
 *
 * Commits that arrive while the disk is busy, or in one turn of the event loop, share one batch and one sync.
 */
export class CommitQueue {
  readonly #store: Store;
  readonly #versions: Versions;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  /** @param version not below any version that the store has given out */
  constructor(store: Store, version: bigint) {
    this.#store = store;
    this.#versions = { last: version, reserved: version };
  }

  add(commit: Commit, { signal }: CallOptions = {}): Promise<CommitOutcome> {
    const waiting = new Waiting(commit, signal);
    this.#waiting.push(waiting);
    if (signal !== undefined) {
      if (signal.aborted) this.#abort(waiting);
      else waiting.onAbort(() => this.#abort(waiting));
    }
    this.wake();
    return waiting.answer;
  }

  #abort(waiting: Waiting): void {
    const inLine = this.#waiting.indexOf(waiting);
    if (inLine >= 0) this.#waiting.splice(inLine, 1);
    const outcome = inLine >= 0 ? "not-applied" : "unknown";
    waiting.reject(new ChannelError("ABORTED", "the commit was aborted", { outcome }));
  }

  /** Resolves when all commits in the queue are answered. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Starts to run the queue, if there is work. */
  wake(): void {
    if (this.#running === undefined && this.#hasWork()) this.#running = this.#run();
  }

  #hasWork(): boolean {
    return this.#waiting.length > 0 || this.#store.expired.size >= MANY_EXPIRED;
  }

  async #run(): Promise<void> {
    // Wait for the end of this turn of the event loop: all its commits share one batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#hasWork()) {
      await this.#runBatch();
      // Callers that were answered may commit again before the next tick: these commits share the next batch.
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
    this.#running = undefined;
  }

  async #runBatch(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      if (this.#store.broken) await this.#store.mend();
    } catch (error) {
      for (const each of waiting) each.reject(error as Error);
      return;
    }
    await new Batch(this.#store, this.#versions).run(waiting);
  }
}
