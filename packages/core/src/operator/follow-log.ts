import { unlessCorrupt } from "../channel/corrupt.js";
import { isChannelError } from "../channel/errors.js";
import type { CallOptions, WatchEvent } from "../channel/types.js";
import { RunError } from "../jobs/errors.js";
import {
  chunkKey,
  isChunk,
  isProgress,
  isProgressKey,
  type LogChunk,
  type LogsValue,
  logPrefix,
  progressKey,
  seqOf,
} from "../jobs/logs/chunk.js";
import type { Logs } from "../jobs/logs/logs.js";
import type { LogItem, LogOptions, Progress } from "../jobs/logs/types.js";
import { hasEnded, isRecord, recordUnder } from "../jobs/records/read.js";
import { recordKey } from "../jobs/records/record.js";
import type { RunContext } from "../jobs/run/context.js";
import { parseRunId, type RunRef } from "../jobs/run-id.js";
import type { RunRecord } from "../jobs/types.js";
import { firstOf, isSignal, pause } from "../util/abort.js";
import type { Clock } from "../util/clock.js";
import { fieldsOf, isCount, isOptional, isText, isTime } from "../util/shape.js";
import { beforeLast, chunksOf, type LogSource, LogText, linesIn, type NumberedChunk, readLog } from "./read-log.js";

/**
 * The log of a run, by its record or id.
 *
 * @throws RunError `INVALID`
 */
export async function* logOf(
  { jobs, logs, clock }: Pick<RunContext, "jobs" | "logs" | "clock">,
  run: string | RunRef,
  options: LogOptions,
): AsyncGenerator<LogItem, void, undefined> {
  const ref = runRefOf(run);
  checkOptions(ref.name, options);
  const { channel } = await logs.open();
  const source = { logs: channel, jobs, clock };
  yield* options.follow === true ? new Follower(source, ref, options).items() : readLog(source, ref, options);
}

/** The latest progress of a run. */
export async function progressOf(logs: Logs, run: string | RunRef, call: CallOptions): Promise<Progress | undefined> {
  const ref = runRefOf(run);
  const { channel } = await logs.open();
  const value: unknown = await channel.get(progressKey(ref), call);
  return isProgress(value) ? value : undefined;
}

function checkOptions(name: string, options: LogOptions): void {
  const { after, tail, signal } = options;
  for (const [option, count] of Object.entries({ after, tail }))
    if (!isOptional(count, isCount))
      throw new RunError("INVALID", name, `${option} is a whole number from 0 up, not ${count}`);
  if (after !== undefined && tail !== undefined) throw new RunError("INVALID", name, "give either after or tail");
  if (!isOptional(signal, isSignal)) throw new RunError("INVALID", name, "signal must be an AbortSignal");
}

export function runRefOf(run: unknown): RunRef {
  const { name, startTime } = (isText(run) ? parseRunId(run) : fieldsOf<RunRef>(run)) ?? {};
  if (isText(name) && name !== "" && isTime(startTime)) return { name, startTime };
  const example = "daily-report@2026-11-25T02:00:00.000Z";
  const shown = isText(run) ? `"${run}"` : String(run);
  throw new RunError("INVALID", "", `a run is named by its record or by its id, such as ${example}, not by ${shown}`);
}

/**
 * How long a reader waits for the end of a log once the run is over, in ms. A run writes both at once, or, if
 * its store is away, at its next attempt. A run whose process died writes no end of its log.
 */
const GRACE = 5_000;

/** The pause, in ms, before a store that is away is read again, and between two reads without a watch. */
const POLL = 1_000;

/** The inputs of a reader that follows a log. */
interface FollowSource extends LogSource {
  readonly clock: Clock;
}

/** Reads the log of a run, and all later lines until the run is over. */
class Follower {
  readonly #source: FollowSource;
  readonly #run: RunRef;
  readonly #options: LogOptions;
  #text: LogText;
  /** Fires when nothing more will come: the log is complete, or its run is over without an end of the log. */
  readonly #over: AbortController = new AbortController();
  readonly #stopRunEnd: () => void;
  /** The number of the last chunk that was read. */
  #last = -1;
  /** The chunks that are buffered until everything is read, if only the last lines are wanted. */
  #held: LogChunk[] | undefined;
  /** Whether the store has answered: from then on, the reader waits out an outage. */
  #wasSynced = false;
  /** Whether the store may have been away. The run then writes the end of its log once it is back. */
  #wasAway = false;
  /** When the run ended, in ms since 1970. */
  #endTime: number | undefined;
  /** The time of the last progress that was yielded. */
  #progressAt: number | undefined;
  #cancelGrace: () => void = () => {};

  constructor(source: FollowSource, run: RunRef, options: LogOptions) {
    this.#source = source;
    this.#run = run;
    this.#options = options;
    this.#text = new LogText({ after: options.after ?? 0 });
    if (options.tail !== undefined) this.#held = [];
    this.#stopRunEnd = whenRunEnded(source, run, (endTime) => {
      this.#endTime = endTime ?? 0;
      this.#expectEnd();
    });
  }

  #stop(): void {
    this.#over.abort();
    this.#cancelGrace();
    this.#stopRunEnd();
  }

  async *items(): AsyncGenerator<LogItem, void, undefined> {
    try {
      yield* this.#items();
    } finally {
      this.#stop();
    }
  }

  async *#items(): AsyncGenerator<LogItem, void, undefined> {
    while (!this.#isOver) yield* this.#untilAway(this.#source.logs.supports.watch ? this.#watch() : this.#looks());
    if (this.#options.signal?.aborted === true || this.#text.isComplete) return;
    // The last chunk may have arrived just as the wait for it ended.
    yield* this.#untilAway(this.#missed());
    yield* this.#synced();
    if (!this.#text.isComplete && this.#last >= 0) yield { missing: "unknown" };
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted || this.#options.signal?.aborted === true;
  }

  /** Ends without an error if the store is away, after a pause, or if the channel was closed. */
  async *#untilAway(items: AsyncGenerator<LogItem, void, undefined>): AsyncGenerator<LogItem, void, undefined> {
    try {
      yield* items;
    } catch (error) {
      if (!this.#wasSynced || !isChannelError(error)) throw error;
      if (error.code === "CLOSED") this.#stop();
      else if (!error.retryable) throw error;
      this.#wasAway = true;
      await pause(this.#source.clock, POLL, this.#signals);
    }
  }

  async *#watch(): AsyncGenerator<LogItem, void, undefined> {
    const { signal, forget } = firstOf(...this.#signals);
    try {
      for await (const event of this.#source.logs.watchReadable({ prefix: logPrefix(this.#run), signal })) {
        yield* this.#onEvent(event);
        if (this.#text.isComplete) return yield* this.#complete();
      }
    } finally {
      forget();
    }
    // A watch that ends by itself ends with its channel.
    if (this.#source.logs.closed) this.#stop();
  }

  /** For a store without a watch. */
  async *#looks(): AsyncGenerator<LogItem, void, undefined> {
    while (!this.#isOver) {
      yield* this.#missed();
      yield* this.#synced();
      if (this.#text.isComplete) return yield* this.#complete();
      await pause(this.#source.clock, POLL, this.#signals);
    }
  }

  async *#onEvent(event: WatchEvent<LogsValue | undefined>): AsyncGenerator<LogItem, void, undefined> {
    if (event.type === "gap") this.#wasAway = true;
    if (event.type === "synced") yield* this.#synced();
    if (event.type !== "put") return;
    const { key, value } = event.entry;
    if (this.#options.progress === true && isProgressKey(key) && isProgress(value)) {
      this.#progressAt = value.at;
      yield { progress: value };
    }
    const seq = seqOf(key);
    if (seq === undefined || seq <= this.#last || !isChunk(value)) return;
    // Changes of different keys may come in any order. A chunk is written only once the previous one is in
    // the store: a chunk that is missing now was deleted.
    if (this.#wasSynced && seq > this.#last + 1) yield* this.#missed(seq);
    yield* this.#read({ seq, ...value });
  }

  /** The chunks after the last one, up to `before`. */
  async *#missed(before?: number): AsyncGenerator<LogItem, void, undefined> {
    const range = {
      after: chunkKey(this.#run, this.#last),
      ...(before !== undefined && { before: chunkKey(this.#run, before) }),
    };
    for await (const chunk of chunksOf(this.#source.logs, this.#run, range)) yield* this.#read(chunk);
  }

  *#read(chunk: NumberedChunk): Generator<LogItem, void, undefined> {
    this.#last = chunk.seq;
    if (this.#held === undefined) return yield* this.#text.of(chunk);
    this.#held = withLast(this.#options.tail ?? 0, [...this.#held, chunk]);
    if (chunk.end === true) yield* this.#release();
  }

  /** Yields the buffered chunks. */
  *#release(): Generator<LogItem, void, undefined> {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#text = new LogText({ after: beforeLast(held, this.#options.tail ?? 0), fromStart: held.length === 0 });
    for (const chunk of held) yield* this.#text.of(chunk);
  }

  /** Called when all existing chunks are read. */
  *#synced(): Generator<LogItem, void, undefined> {
    this.#wasSynced = true;
    yield* this.#release();
    this.#expectEnd();
  }

  /** Called when the end of the log was read. */
  async *#complete(): AsyncGenerator<LogItem, void, undefined> {
    this.#stop();
    if (this.#options.progress === true && this.#options.signal?.aborted !== true) yield* this.#lastProgress();
  }

  /** The progress that was written together with the end of the log, if it was not reported yet. */
  async *#lastProgress(): AsyncGenerator<LogItem, void, undefined> {
    const progress: unknown = await unlessCorrupt(this.#source.logs.get(progressKey(this.#run)));
    if (isProgress(progress) && progress.at !== this.#progressAt) yield { progress };
  }

  /** Once the run is over, ends after a moment if the end of the log does not come. */
  #expectEnd(): void {
    if (this.#endTime === undefined || !this.#wasSynced) return;
    const left = this.#wasAway ? GRACE : this.#endTime + GRACE - this.#source.clock.now();
    this.#wasAway = false;
    this.#endIn(Math.min(GRACE, Math.max(0, left)), false);
  }

  /** `wasAway`: the store was away at the last read. */
  #endIn(ms: number, wasAway: boolean): void {
    this.#cancelGrace();
    this.#cancelGrace = this.#source.clock.after(ms, () => void this.#endUnlessAway(wasAway), true);
  }

  async #endUnlessAway(wasAway: boolean): Promise<void> {
    try {
      for await (const _ of this.#source.logs.keys({ prefix: logPrefix(this.#run), limit: 1 })) break;
      if (wasAway) this.#endIn(GRACE, false);
      else this.#over.abort();
    } catch (error) {
      if (this.#isOver) return;
      if (isChannelError(error) && error.retryable) this.#endIn(POLL, true);
      else this.#over.abort();
    }
  }

  get #signals(): AbortSignal[] {
    const { signal } = this.#options;
    return [this.#over.signal, ...(signal === undefined ? [] : [signal])];
  }
}

/**
 * The chunks with the `count` last lines. At least one is kept, because it shows what is missing after it.
 */
function withLast(count: number, chunks: LogChunk[]): LogChunk[] {
  let lines = linesIn(chunks);
  let first = 0;
  for (const chunk of chunks.slice(0, -1)) {
    lines -= chunk.lines;
    if (lines < count) break;
    first++;
  }
  return chunks.slice(first);
}

/** Calls `onEnd` once the record of a run is closed or gone. Call the result to stop. */
function whenRunEnded({ jobs, clock }: FollowSource, run: RunRef, onEnd: (endTime?: number) => void): () => void {
  const key = recordKey(run.name, run.startTime);
  let isOver = false;
  let cancel = (): void => {};
  let stopWatch = (): void => {};
  const stop = (): void => {
    isOver = true;
    cancel();
    stopWatch();
  };
  const see = (record: RunRecord | undefined): void => {
    if (isOver || (record !== undefined && !hasEnded(record))) return;
    stop();
    onEnd(record?.endTime);
  };
  const look = async (): Promise<void> => {
    cancel();
    try {
      see((await recordUnder(jobs, key))?.value);
      if (jobs.supports.watch) return;
    } catch {
      // The store is away: read again.
    }
    if (!isOver) cancel = clock.after(POLL, () => void look());
  };
  if (jobs.supports.watch) {
    const watch = jobs.watchKey(key, {
      changed: (change) => {
        const value = change.value();
        if (change.deleted || (value !== undefined && isRecord({ key, value }))) see(value);
      },
      gap: () => void look(),
      failed: () => void look(),
    });
    stopWatch = () => watch.stop();
    watch.ready.then(look, look);
  } else void look();
  return stop;
}
