import { reasonText, whenAborted } from "../abort.js";
import type { Channel } from "../channel/channel.js";
import { sameJson } from "../channel/json.js";
import type { CallOptions, CommitResult, Key, Op, Version } from "../channel/types.js";
import type { Clock } from "../clock.js";
import { LateSignal } from "../late-signal.js";
import { isLockError, type LockError } from "../locks/errors.js";
import { isForeign, unlessForeign } from "../locks/foreign.js";
import type { Lease } from "../locks/lease.js";
import type { Locks } from "../locks/locks.js";
import { endingUntil, persist } from "../persist.js";
import { RunError } from "./errors.js";
import { isOverwritten } from "./read.js";
import { closed, type Ending, errorText, recordKey, resultOf, timeoutText } from "./record.js";
import type { Run, RunRecord } from "./types.js";

/** How long a run that is over waits for its record to be closed before it says so, in ms: "at once" with a store that answers. */
const MOMENT = 1_000;

/** What an open run needs of its manager. */
export interface RunHome {
  readonly jobs: Channel<RunRecord>;
  readonly locks: Locks;
  readonly clock: Clock;
  /** How long a session lives that is not renewed; for as long the end of a run is tried to be written. */
  readonly ttl: number;
  /** Called once the run is over, whatever became of it. */
  onOver(run: OpenRun): void;
}

/** A run from its start to its end, which is written exactly once. */
export class OpenRun implements Run {
  readonly name: string;
  readonly startTime: number;
  readonly fence: Version;
  readonly #home: RunHome;
  readonly #lease: Lease;
  readonly #record: RunRecord;
  /** The version of the open record: whoever closes the run for us changes it, and our end is refused. */
  readonly #version: Version;
  readonly #stop: LateSignal = new LateSignal();
  #closing: Promise<RunRecord> | undefined;
  #unfollow: (() => void) | undefined;
  #lockOver: ((error: RunError) => void) | undefined;
  #over: RunError | undefined;
  #settled = false;

  constructor(home: RunHome, lease: Lease, record: RunRecord, version: Version) {
    this.name = record.name;
    this.startTime = record.startTime;
    this.fence = lease.fence;
    this.#home = home;
    this.#lease = lease;
    this.#record = record;
    this.#version = version;
  }

  get #key(): Key {
    return recordKey(this.name, this.startTime);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Why the body must stop; `undefined` as long as it need not. */
  get stopped(): Error | undefined {
    return this.#stop.reason;
  }

  /** The end of the run, once it began; it may be waited for. */
  get closing(): Promise<RunRecord> | undefined {
    return this.#closing;
  }

  /** Whether the end of the run was written, or could not be. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Resolves once the record is closed, or cannot be closed in a moment. */
  async closedSoon(): Promise<void> {
    const { clock } = this.#home;
    let cancel = (): void => {};
    const moment = new Promise<void>((resolve) => {
      cancel = clock.after(MOMENT, resolve, true);
    });
    await Promise.race([moment, this.#closing?.catch(() => {})]);
    cancel();
  }

  /** Calls `callback` when the timeout passed or the lock was lost while the run was open; the record is being closed then. */
  whenLockOver(callback: (error: RunError) => void): void {
    this.#lockOver = callback;
    if (this.#over !== undefined) callback(this.#over);
  }

  assertHeld(): void {
    this.#lease.expire();
    if (this.#stop.reason !== undefined) throw this.#stop.reason;
    if (this.#closing !== undefined) throw this.#ended();
    if (!this.#lease.held) throw new RunError("LOST", this.name, `the run of "${this.name}" lost its lock`);
  }

  async fenced<V>(channel: Channel<V>, ops: readonly Op<V>[], options?: CallOptions): Promise<CommitResult<V>> {
    this.assertHeld();
    try {
      return await this.#lease.fenced(channel, ops, options);
    } catch (error) {
      throw isLockError(error) ? this.#ended() : error;
    }
  }

  async end(result?: unknown): Promise<RunRecord> {
    return this.#finish({ status: "completed", ...resultOf(result, this.#home.jobs.supports.maxValueBytes) });
  }

  async fail(error: unknown): Promise<RunRecord> {
    return this.#finish({ status: "failed", error: errorText(error) });
  }

  async cancel(reason = "cancelled"): Promise<RunRecord> {
    this.abort(reason);
    return this.#finish({ status: "cancelled", error: reason });
  }

  /** Tells the body to stop. The lock stays held until the run is closed. */
  abort(reason: string): void {
    if (this.#closing !== undefined) return;
    this.#stop.fire(new RunError("CANCELLED", this.name, `the run of "${this.name}" was cancelled: ${reason}`));
  }

  /** Cancels the run when `signal` fires. */
  follow(signal: AbortSignal): void {
    const onAbort = (): void => this.abort(reasonText(signal.reason));
    if (signal.aborted) onAbort();
    else this.#unfollow = whenAborted(signal, onAbort);
  }

  /** Closes the run as `lost`, if it is still open. Its body is told: it holds the lock no more. */
  async abandon(why: string): Promise<void> {
    if (this.#closing === undefined) {
      this.#breakOff("lost", new RunError("LOST", this.name, `the run of "${this.name}" is over: ${why}`), why);
    }
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What the block threw must not be hidden by a store that is away.
    await this.abandon("it was left without an end").catch(() => {});
  }

  /** The lease is over, and nobody ended the run. */
  leaseOver({ code, message }: LockError): void {
    if (this.#closing !== undefined) return;
    const timeout = code === "TIMEOUT";
    const text = timeout
      ? timeoutText(this.name, this.#record.timeout)
      : `the run of "${this.name}" may no longer hold its lock: ${message}`;
    this.#breakOff(timeout ? "timeout" : "lost", new RunError(timeout ? "TIMEOUT" : "LOST", this.name, text), text);
  }

  #breakOff(status: "timeout" | "lost", error: RunError, text: string): void {
    this.#over = error;
    // Only once the body was told: as soon as the store has the end, the next run begins, and a process may be paused in between.
    this.#closing = Promise.resolve().then(() => this.#close({ status, error: text }));
    // Whoever asks for the end is told. Nobody has to: the next one to find the record closes it.
    this.#closing.catch(() => {});
    // A body that was cancelled knows already.
    this.#stop.fire(error);
    this.#lockOver?.(error);
  }

  #finish(ending: Ending): Promise<RunRecord> {
    // Not the end of its session: nobody else has had the lock if the store still takes this end.
    this.#lease.expireTimeout();
    if (this.#closing !== undefined) return Promise.reject(this.#ended());
    this.#closing = this.#close(ending);
    return this.#closing;
  }

  #ended(): unknown {
    return this.#over ?? this.#stop.reason ?? new RunError("ENDED", this.name, `the run of "${this.name}" is over`);
  }

  async #close(ending: Ending): Promise<RunRecord> {
    const record = closed(this.#record, this.fence, this.#home.clock.now(), ending);
    try {
      const written = this.#home.locks.channel.joins(this.#home.jobs)
        ? await this.#closeInOneStep(record)
        : await this.#closeThenRelease(record);
      if (written) return record;
    } finally {
      this.#unfollow?.();
      this.#settled = true;
      this.#home.onOver(this);
    }
    throw new RunError(
      "LOST",
      this.name,
      `the run of "${this.name}" was closed by somebody else: its lock was lost or taken`,
    );
  }

  /** Record and lock in one store: the record is closed only if the lock is still ours, in the same step. */
  async #closeInOneStep(record: RunRecord): Promise<boolean> {
    const { jobs, locks } = this.#home;
    let refused = false;
    const releasing = locks.release(this.#lease, {
      channel: jobs,
      prepare: () => ({ ops: refused ? [] : this.#closingOps(record) }),
      // The record is not ours to close any more; what is left is to give back the lock.
      refused: () => {
        refused = true;
      },
      overwritten: async () => {
        if (refused) return false;
        refused = await isOverwritten(jobs, this.#key);
        return refused;
      },
    });
    // What cannot be read is no lock of ours.
    const released = (await unlessForeign(releasing)) ?? false;
    if (released) return !refused || this.#isWritten(record);
    if (await this.#isWritten(record)) return true;
    // The lock is gone. If nobody has closed the run, that is how it ended, whatever the body did.
    if (record.status !== "completed") return this.#write(record);
    const why = { status: "lost", error: "its lock was removed or taken" } as const;
    await this.#write(closed(this.#record, this.fence, this.#home.clock.now(), why));
    return false;
  }

  #closingOps(record: RunRecord): Op<RunRecord>[] {
    return [
      { check: this.#key, version: this.#version },
      { put: this.#key, value: record },
    ];
  }

  /** Two stores: record, then lock, so that a crash in between leaves a dead lock, which is found, and no open record, which is not. */
  async #closeThenRelease(record: RunRecord): Promise<boolean> {
    const { locks } = this.#home;
    let written: boolean;
    try {
      written = await this.#write(record);
    } catch (error) {
      // Nobody finds an open record that no lock leads to: whoever removes the lock closes it.
      locks.giveUp(this.#lease);
      throw error;
    }
    // The run is over and its record says so. A lock that could not be given back is removed by the next heartbeat.
    await locks.release(this.#lease).catch(() => {});
    return written;
  }

  async #write(record: RunRecord): Promise<boolean> {
    const { jobs, clock, ttl } = this.#home;
    const { session, until } = this.#lease;
    const persistence = {
      clock,
      until: endingUntil(clock.monotonic(), until, ttl),
      goesOn: () => session.alive,
    };
    try {
      const result = await persist(persistence, () => jobs.commit(this.#closingOps(record)));
      return result.ok || (await this.#isWritten(record));
    } catch (error) {
      if (!isForeign(error) || !(await isOverwritten(jobs, this.#key))) throw error;
      return false;
    }
  }

  /** Whether it was us who wrote it: an answer may have been lost after the write was applied. */
  async #isWritten(record: RunRecord): Promise<boolean> {
    const written = await unlessForeign(this.#home.jobs.get(this.#key));
    return sameJson(written, JSON.parse(JSON.stringify(record)));
  }
}
