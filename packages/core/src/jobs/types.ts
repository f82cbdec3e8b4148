import type { Channel } from "../channel/channel.js";
import type { JsonValue } from "../channel/json.js";
import type { CallOptions, CommitResult, Op, OpenOptions } from "../channel/types.js";
import type { Clock } from "../clock.js";
import type { Holder } from "../locks/types.js";

/** How a run stands. `lost`: its process is gone, or its lock was taken from it. */
export type RunStatus = "running" | "completed" | "failed" | "timeout" | "cancelled" | "lost";

/** The record of a run, as kept in the jobs channel under `{ name, startTime }`. Times are ms since 1970. */
export interface RunRecord {
  readonly name: string;
  readonly startTime: number;
  /** `startTime` in ISO 8601, UTC. */
  readonly startDate: string;
  readonly status: RunStatus;
  readonly holder: Holder;
  /** What started the run: `"manual"`, `"schedule"`, `"launch"` or whatever the program says. */
  readonly trigger: string;
  /** The tick of its schedule that it was started for, in ms since 1970. */
  readonly tick?: number;
  /** The longest the run may take, in ms. */
  readonly timeout: number;
  /** The fencing token of the run: the version of its lock. */
  readonly fence?: string;
  readonly endTime?: number;
  readonly endDate?: string;
  /** `endTime - startTime`. */
  readonly duration?: number;
  /** Whether the run ended in any way but `completed`. */
  readonly inError?: boolean;
  /** Why, in words. */
  readonly error?: string;
  /** What the body returned, where that is JSON, not nothing, and not too large for the store. */
  readonly result?: JsonValue;
}

/** Options of {@link JobManager.init}. */
export interface JobManagerOptions {
  /** Where the run records are kept. Default: in memory. */
  readonly chJobs?: OpenOptions;
  /** Where the locks are kept. Default: in memory. */
  readonly chLocks?: OpenOptions;
  /** How long the locks of a process that fell silent stay taken, in ms. Default: 15,000. */
  readonly ttl?: number;
  /**
   * Whether a thread of its own keeps the locks of this process alive while its main thread computes for longer than `ttl` without a break, until
   * the `timeout` of each run. It costs some 8 MB; a connection, once the main thread is late. It needs a channel that another thread can open: of a type
   * found by name, with args that are plain data and no client. Without it such a body loses its lock. Default: true.
   */
  readonly heartbeatThread?: boolean;
  /** Time and chance, for simulations. */
  readonly clock?: Clock;
}

/** An instant at which a schedule wants a run. */
export interface Tick {
  /** Tells this schedule of the job from others: two schedules may start runs of the same name. */
  readonly schedule: string;
  /** In ms since 1970. */
  readonly at: number;
}

/** Options of one run. */
export interface RunOptions {
  /** The longest the run may hold its lock, in ms. Default: 3,600,000 (one hour). */
  readonly timeout?: number;
  /** How long to wait for the lock, in ms. Default: 2,500. With 0, it is taken now or not at all. */
  readonly wait?: number;
  /** What started the run, for its record. Default: `"manual"`. */
  readonly trigger?: string;
  /**
   * The tick that the run is for. Of all processes that start a run of this name for this tick of this schedule, one does; the others are refused with
   * `TICK_TAKEN`, however soon the run is over, and so are those that come with an earlier tick. A tick that is more than a day ahead of the clock of this
   * process was taken by a machine whose date was wrong, and refuses nothing.
   */
  readonly tick?: Tick;
  /** Cancels the waiting and the run. */
  readonly signal?: AbortSignal;
}

/** A run that is going on. */
export interface Run {
  readonly name: string;
  readonly startTime: number;
  /** The fencing token: hand it to every system that the run writes to, and let it refuse a lower one. */
  readonly fence: string;
  /** Fires the moment the run must stop: its timeout passed, its lock was lost or taken, or it was cancelled. */
  readonly signal: AbortSignal;
  /** Whether the run is held now, by the local clock. Throws the reason of `signal` if it is not. */
  assertHeld(): void;
  /**
   * Applies `ops` to a channel, all or nothing, in one step with the question whether this run still holds its lock: the store refuses them to a run
   * that was timed out, unlocked or taken for dead, however late its body comes. The channel must be in the store of the locks: opened with
   * the same type and args as `chLocks`.
   *
   * @returns as {@link Channel.commit}
   * @throws RunError if the run is over; nothing was written then. ChannelError `NOT_SUPPORTED` for a channel of another store: pass `fence` on to it
   * @example
   * await run.fenced(reports, [{ put: "2026-11", value: report }]);
   */
  fenced<V>(channel: Channel<V>, ops: readonly Op<V>[], options?: CallOptions): Promise<CommitResult<V>>;
  /** Closes the record as `completed` and releases the lock. Rejects with a `RunError` if the run was already over. */
  end(result?: unknown): Promise<RunRecord>;
  /** Closes the record as `failed`, with the error's text, and releases the lock. */
  fail(error: unknown): Promise<RunRecord>;
  /** Closes the record as `cancelled` and releases the lock. */
  cancel(reason?: string): Promise<RunRecord>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How a run that completed went. */
export interface Outcome<T> {
  readonly result: T;
  readonly record: RunRecord;
}

/** What a forced unlock did. */
export interface UnlockOutcome {
  /** False where nobody held a lock of this name. */
  readonly unlocked: boolean;
  /** Who held it. */
  readonly holder?: Holder;
  /** The run that was ended with it, now closed as `cancelled`. */
  readonly run?: RunRecord;
}
