import type { Channel } from "../channel/channel.js";
import { isChannelError } from "../channel/errors.js";
import type { Key } from "../channel/types.js";
import { hasEnded, recordUnder } from "../jobs/records/read.js";
import { recordKeyOf, toRecord } from "../jobs/records/record.js";
import type { RunRef } from "../jobs/run-id.js";
import type { RunRecord } from "../jobs/types.js";
import { whenAborted } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import { runRefOf } from "./follow-log.js";

/** The interval at which a record that cannot be watched is read, in ms. */
const POLL = 250;

/** The run to wait for. */
interface AwaitedRun {
  readonly jobs: Channel<RunRecord>;
  readonly key: Key;
  readonly clock: Clock;
  /** The longest wait, in ms. */
  readonly wait: number;
  readonly signal?: AbortSignal | undefined;
}

/** Resolves to the record of a run once it is closed; see {@link untilClosed}. */
export async function waitForEnd(run: string | RunRef, wait: Omit<AwaitedRun, "key">): Promise<RunRecord | undefined> {
  return untilClosed({ ...wait, key: recordKeyOf(runRefOf(run)) });
}

/**
 * Resolves to a record once it is closed. After `wait`, or when `signal` fires, resolves to the record as it
 * is then; `undefined` if it does not exist.
 */
export async function untilClosed({ jobs, key, clock, wait, signal }: AwaitedRun): Promise<RunRecord | undefined> {
  const changes = new Changes(jobs, key, clock);
  let over = wait <= 0 || signal?.aborted === true;
  const end = (): void => {
    over = true;
    changes.notice();
  };
  const cancel = clock.after(wait, end, true);
  const stopListening = signal && whenAborted(signal, end);
  try {
    if (!over) await changes.begin();
    for (;;) {
      const entry = await recordUnder(jobs, key);
      if (entry === undefined || hasEnded(entry.value) || over) return entry && toRecord(entry);
      await changes.next();
    }
  } finally {
    cancel();
    stopListening?.();
    changes.stop();
  }
}

/** The changes of one entry: by watch, or by polling if the store cannot be watched. */
class Changes {
  readonly #jobs: Channel<RunRecord>;
  readonly #key: Key;
  readonly #clock: Clock;
  #stop: () => void = () => {};
  #polls: boolean;
  #noticed = false;
  #wake: () => void = () => {};

  constructor(jobs: Channel<RunRecord>, key: Key, clock: Clock) {
    this.#jobs = jobs;
    this.#key = key;
    this.#clock = clock;
    this.#polls = !jobs.supports.watch;
  }

  async begin(): Promise<void> {
    if (this.#polls) return;
    const watch = this.#jobs.watchKey(this.#key, {
      changed: () => this.notice(),
      gap: () => this.notice(),
      failed: () => {
        this.#polls = true;
        this.notice();
      },
    });
    this.#stop = () => watch.stop();
    try {
      await watch.ready;
    } catch (error) {
      if (!isChannelError(error)) throw error;
      this.#polls = true;
    }
  }

  notice(): void {
    this.#noticed = true;
    this.#wake();
  }

  /** Resolves at the next change, or at once if there was one since the last call. */
  async next(): Promise<void> {
    if (!this.#noticed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.#polls) this.#clock.after(POLL, resolve, true);
      });
    }
    this.#noticed = false;
  }

  stop(): void {
    this.#stop();
  }
}
