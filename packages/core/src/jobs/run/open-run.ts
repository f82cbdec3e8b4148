import { isFull } from "../../channel/calls.js";
import type { Channel } from "../../channel/channel.js";
import { isCorrupt } from "../../channel/corrupt.js";
import type { CallOptions, CommitResult, InTransaction, Op, Version } from "../../channel/types.js";
import type { StopRequest } from "../../locks/entries/schema.js";
import { asker } from "../../locks/entries/view.js";
import { isLockError, type LockError } from "../../locks/errors.js";
import { type Lease, TAKEN } from "../../locks/hold/lease.js";
import type { Holder } from "../../locks/types.js";
import { LazyAbortSignal, reasonText, whenAborted } from "../../util/abort.js";
import { atMost } from "../../util/event-loop.js";
import { present } from "../../util/shape.js";
import { visible } from "../../util/text.js";
import { emitWarning } from "../../util/warning.js";
import { RunError } from "../errors.js";
import { runEnded } from "../events.js";
import type { RunLog } from "../logs/types.js";
import { RunTrail } from "../logs/write/run-trail.js";
import { isExit } from "../records/read.js";
import { type Ending, ended, errorText, leaseOverError, resultOf, stackText } from "../records/record.js";
import type { EndedBy, Run, RunRecord, StartClaim, Tick } from "../types.js";
import {
  type ClaimedEnd,
  ClosingWrites,
  isWritten,
  laterEnd,
  lostRun,
  nextOps,
  notRecorded,
  notRecordedBy,
  releaseClosed,
  warnOfUnrecordedEnd,
  writeEnd,
} from "./closing-writes.js";
import { inOneStore, type RunContext } from "./context.js";
import type { Draft } from "./record-draft.js";

/** How long a run waits for the close of its record before it rejects, in ms: far more than usual. */
const CLOSE_WAIT = 1_000;

const COMPLETED: Ending = { status: "completed" };

/** A run from its start to its end. Its end is written exactly once. */
export class OpenRun implements Run {
  readonly name: string;
  readonly startTime: number;
  readonly id: string;
  readonly lock: string;
  readonly fence: Version;
  readonly #context: RunContext;
  readonly #lease: Lease;
  readonly #draft: Draft;
  /** The version of the open record. It changes if another process closes the run: our end is rejected. */
  readonly #version: Version;
  readonly #stop: LazyAbortSignal = new LazyAbortSignal();
  readonly #lost: LazyAbortSignal = new LazyAbortSignal();
  /** Its log and progress, if it has written any. */
  #trail: RunTrail | undefined;
  #closing: Promise<RunRecord> | undefined;
  /** Set while the store is read for a committed end: the lease may be over before the answer. */
  #confirming: Promise<RunRecord> | undefined;
  /** The ends that joined transactions. The store knows which of these, if any, was committed. */
  readonly #joined: RunRecord[] = [];
  #stopListening: (() => void) | undefined;
  #lockOver: ((error: RunError) => void) | undefined;
  #over: RunError | undefined;
  #settled = false;
  #endedBy: EndedBy | undefined;
  #cancelled: RunError | undefined;
  #interrupted: RunError | undefined;
  #args: Run["args"] | undefined;
  #exit: RunRecord["exit"];
  readonly #claim: StartClaim | undefined;

  /** `draft`: what was written, `version`: the version of its entry. */
  constructor(context: RunContext, lease: Lease, draft: Draft, version: Version, claim: StartClaim | undefined) {
    this.name = draft.record.name;
    this.startTime = draft.record.startTime;
    this.id = draft.record.id;
    this.lock = lease.name;
    this.fence = lease.fence;
    this.#context = context;
    this.#lease = lease;
    this.#draft = draft;
    this.#version = version;
    this.#claim = claim;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get log(): RunLog {
    this.#trail ??= new RunTrail(this.#context.logs, this);
    return this.#trail;
  }

  progress(done: number, total?: number, text?: string): void {
    this.#trail ??= new RunTrail(this.#context.logs, this);
    this.#trail.progress(done, total, text);
  }

  exited(code: number | null, signal?: string | null): void {
    const exit = present({ code: code ?? undefined, signal: signal ?? undefined });
    if (!isExit(exit))
      throw new RunError("INVALID", this.name, `exited() of the run of "${this.name}" takes an exit code and a signal`);
    this.#exit = exit;
  }

  /** Why the run cannot complete: it was cancelled, or is over. */
  get stopped(): RunError | undefined {
    return this.#cancelled ?? this.#over;
  }

  /** Set once the process closes: the body may still complete, until the grace is over. */
  get interrupted(): RunError | undefined {
    return this.#interrupted;
  }

  get holder(): Holder {
    return this.#draft.record.holder;
  }

  /** Whether another process must make the run if its body did not begin: for a tick, or a later attempt. */
  get isAwaited(): boolean {
    return this.tick !== undefined || this.attempt > 1;
  }

  get isRetried(): boolean {
    return this.#draft.extras?.retry !== undefined;
  }

  /** The close of the run; `undefined` before it begins. */
  get closing(): Promise<RunRecord> | undefined {
    return this.#closing;
  }

  /** Whether the close of the run is over, even if it failed. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Resolves once the record is closed, or after {@link CLOSE_WAIT}. */
  closedSoon(): Promise<void> {
    return atMost(
      this.#context.clock,
      CLOSE_WAIT,
      this.#closing?.catch(() => {}),
    );
  }

  /** Calls `callback` once an open run times out or loses its lock. The close of the record has begun. */
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

  fenced<V>(channel: Channel<V>, ops: readonly Op<V>[], options: InTransaction): Promise<undefined>;
  fenced<V>(channel: Channel<V>, ops: readonly Op<V>[], options?: CallOptions): Promise<CommitResult<V>>;
  async fenced<V>(
    channel: Channel<V>,
    ops: readonly Op<V>[],
    options: CallOptions | InTransaction = {},
  ): Promise<CommitResult<V> | undefined> {
    // After a close has begun, a body that cleans up may write until it returns.
    if (this.#interrupted === undefined || this.stopped !== undefined || this.#closing !== undefined) this.assertHeld();
    try {
      if (!("transaction" in options)) return await this.#lease.fenced(channel, ops, options);
      await this.#lease.fencedIn(options.transaction, channel, ops);
      return undefined;
    } catch (error) {
      throw isLockError(error) ? this.#ended() : error;
    }
  }

  end(result?: unknown, options: Partial<InTransaction> = {}): Promise<RunRecord> {
    const kept = resultOf(result, this.#context.jobs.supports.maxValueBytes);
    warnOfLostResult(this.name, kept.lost);
    const ending: Ending = kept.result === undefined ? COMPLETED : { status: "completed", result: kept.result };
    return "transaction" in options ? this.#endIn(options.transaction, ending) : this.#finish(ending);
  }

  /** Joins the end to a transaction. The run stays open: only the store knows whether it was committed. */
  async #endIn(transaction: unknown, ending: Ending): Promise<RunRecord> {
    this.#lease.expireTimeout();
    if (this.#closing !== undefined) throw this.#ended();
    const record = this.#ending(ending);
    const writes = this.#closingWrites(record);
    // A program may have added fields to the record, or another process has closed it.
    await writes.readAgain();
    if (writes.isRefused) throw await notRecordedBy(this.#context.jobs, this.#draft.key, this.name);
    // Before the call: the transaction may be committed before its answer arrives.
    this.#joined.push(record);
    try {
      await this.#lease.releaseIn(transaction, writes.prepare());
    } catch (error) {
      throw isLockError(error) ? this.#ended() : error;
    }
    return writes.written;
  }

  /** The lock is gone from the store. Returns whether a transaction with the end may have removed it. */
  lockRemoved(): boolean {
    if (this.#joined.length === 0) return false;
    if (this.#closing === undefined) {
      this.#confirming = this.#closeJoined();
      this.#confirming.catch(() => {});
      this.#closing = this.#confirming;
    }
    return true;
  }

  async #closeJoined(): Promise<RunRecord> {
    const joined = await this.#committedEnd().catch(() => undefined);
    this.#confirming = undefined;
    if (this.#over !== undefined) throw this.#over;
    if (joined !== undefined) return this.#close(COMPLETED);
    this.#closing = undefined;
    this.#lease.abort("LOST", TAKEN);
    throw this.#ended();
  }

  /** The end that a transaction has committed. */
  async #committedEnd(): Promise<RunRecord | undefined> {
    const { jobs } = this.#context;
    for (const record of this.#joined) if (await isWritten(jobs, this.#draft, record)) return record;
    return undefined;
  }

  async fail(error: unknown, { status = "failed" }: { status?: "failed" | "timeout" } = {}): Promise<RunRecord> {
    const stack = stackText(error);
    return this.#finish({ status, error: errorText(error), ...(stack !== undefined && { stack }) });
  }

  async skip(reason: string): Promise<RunRecord> {
    return this.#finish({ status: "skipped", error: errorText(reason) });
  }

  async handOver(reason: string): Promise<RunRecord> {
    if (typeof reason !== "string" || reason === "") {
      throw new RunError(
        "INVALID",
        this.name,
        `the run of "${this.name}" cannot be handed over without a reason, a text`,
      );
    }
    return this.#finish({ status: "skipped", error: errorText(reason), handedOver: true });
  }

  async cancel(reason = "cancelled"): Promise<RunRecord> {
    this.abort(reason);
    return this.#finish({ status: "cancelled", error: reason });
  }

  /** Signals the body to stop. The lock stays held until the run is closed. */
  abort(reason: string): void {
    if (this.#closing !== undefined) return;
    this.#cancelled ??= new RunError("CANCELLED", this.name, `the run of "${this.name}" was cancelled: ${reason}`);
    this.#stop.fire(this.#cancelled);
  }

  /** Signals the body that its process closes. The lock stays held until the run is closed. */
  interrupt(): void {
    if (this.#closing !== undefined || this.#cancelled !== undefined) return;
    this.#interrupted ??= new RunError("CLOSING", this.name, `the run of "${this.name}" must end: its process closes`);
    this.#stop.fire(this.#interrupted);
  }

  /** Cancels the run at the request of another process. The record names its author and the reason. */
  requested(request: StopRequest): void {
    if (this.#closing !== undefined) return;
    const { by, author, reason, giveBack } = request;
    this.#endedBy = { action: "cancel", by, reason, ...present({ author, giveBack }) };
    this.abort(`by ${asker(request)}: ${visible(reason)}`);
  }

  /** Cancels the run when `signal` fires. */
  cancelOn(signal: AbortSignal): void {
    const onAbort = (): void => this.abort(reasonText(signal.reason));
    if (signal.aborted) onAbort();
    else this.#stopListening = whenAborted(signal, onAbort);
  }

  /** Closes the run as `lost` if it is still open. Its signal fires, because it no longer holds the lock. */
  async abandon(why: string): Promise<void> {
    if (this.#closing === undefined) {
      this.#breakOff("lost", new RunError("LOST", this.name, `the run of "${this.name}" is over: ${why}`), why);
    }
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A store that is away must not hide the error of the block.
    await this.abandon("its block ended before the run did").catch(() => {});
  }

  /** Call it when the lease ended before the run did. */
  leaseOver(cause: LockError): void {
    if (this.#closing !== undefined && this.#closing !== this.#confirming) return;
    const error = leaseOverError(this.name, this.#draft.record.timeout, cause);
    this.#breakOff(error.code === "TIMEOUT" ? "timeout" : "lost", error, error.message);
  }

  #breakOff(status: "timeout" | "lost", error: RunError, text: string): void {
    this.#over = error;
    // Fire the signal first: once the store has the close, the next run may begin, and we may be suspended.
    this.#closing = Promise.resolve().then(() => this.#close({ status, error: text }));
    // Never unhandled: callers that need the close await it; otherwise a later check closes the record.
    this.#closing.catch(() => {});
    // If the run was cancelled, its signal has already fired.
    this.#stop.fire(error);
    this.#lost.fire(error);
    this.#lockOver?.(error);
  }

  #finish(ending: Ending): Promise<RunRecord> {
    // Check only the timeout, not the session: if the store accepts this end, no other run had the lock.
    this.#lease.expireTimeout();
    if (this.#closing !== undefined) return Promise.reject(this.#ended());
    const endedBy = ending.status === "cancelled" ? this.#endedBy : undefined;
    this.#closing = this.#close(endedBy === undefined ? ending : { ...ending, endedBy });
    return this.#closing;
  }

  #ended(): unknown {
    return this.#over ?? this.#stop.reason ?? new RunError("ENDED", this.name, `the run of "${this.name}" is over`);
  }

  get attempt(): number {
    return this.#draft.extras?.attempt ?? 1;
  }

  get chain(): string {
    return this.#draft.extras?.chain ?? this.id;
  }

  get args(): Run["args"] {
    // A copy: changes of the job function must not be in the record.
    this.#args ??= structuredClone(this.#draft.extras?.args ?? {});
    return this.#args;
  }

  get tick(): Tick | undefined {
    const { schedule, tick } = this.#draft.extras ?? {};
    return schedule === undefined || tick === undefined ? undefined : { schedule, at: tick };
  }

  /** The ops that write the next attempt, in the commit that releases the lock. */
  #next(record: RunRecord): readonly Op<unknown>[] | undefined {
    return nextOps(this.#context, this.#lease, record);
  }

  #ending(ending: Ending): RunRecord {
    const { record, extras } = this.#draft;
    const end = this.#exit === undefined ? ending : { ...ending, exit: this.#exit };
    return ended(record, this.fence, this.#context.clock.now(), end, extras);
  }

  /** The last lines of the log are sent right behind the end of the record, which does not wait for them. */
  #close(ending: Ending): Promise<RunRecord> {
    const closing = this.#closeRecord(ending);
    return this.#trail === undefined ? closing : this.#trail.endWith(closing);
  }

  async #closeRecord(ending: Ending): Promise<RunRecord> {
    const record = this.#ending(ending);
    let written: RunRecord;
    try {
      written = await (inOneStore(this.#context) ? this.#closeWithLock(record) : this.#closeThenRelease(record));
      publishRunEnded(written);
    } catch (error) {
      // It is recorded once there is room.
      if (isFull(error)) throw notRecorded(this.name, error);
      // If the run had lost its lock before its body ended, its signal has reported that.
      if (this.#over === undefined) warnOfUnrecordedEnd(record, error);
      throw error;
    } finally {
      this.#stopListening?.();
      this.#settled = true;
      this.#context.onOver(this);
    }
    // The caller must not believe that its run completed.
    if (written.status === record.status) return written;
    throw new RunError("ENDED", this.name, `the run of "${this.name}" failed: ${written.error}`);
  }

  /** With one store: closes the record only if the lease still holds the lock, in one commit. */
  async #closeWithLock(record: RunRecord): Promise<RunRecord> {
    const { locks, jobs } = this.#context;
    const { key } = this.#draft;
    const writes = this.#closingWrites(record);
    let released = false;
    try {
      released = await locks.release(this.#lease, writes);
    } catch (error) {
      // If the entry of the lock is corrupt, the lease no longer has the lock.
      if (!isCorrupt(error)) throw error;
    }
    if (released && !writes.isRefused) return writes.written;
    if (await isWritten(jobs, this.#draft, writes.written)) return writes.written;
    const joined = await this.#committedEnd();
    if (joined !== undefined) return joined;
    if (released) throw await notRecordedBy(jobs, key, this.name);
    return this.#closeWithoutLock(record);
  }

  #closingWrites(record: RunRecord): ClosingWrites {
    const next = this.#next(record);
    return new ClosingWrites(this.#context, this.#lease, this.#draft, this.#version, record, next, this.#claimed());
  }

  #claimed(): ClaimedEnd | undefined {
    if (this.#claim?.end === undefined) return undefined;
    const error = "the writes of its end were refused: an entry that they check has changed";
    return {
      ops: (record) => this.#claim?.end?.(record) ?? [],
      changed: async () => (await this.#claim?.endRefused?.()) === true,
      failed: () => this.#ending({ status: "failed", error }),
    };
  }

  /** The lock is gone: writes the end of an open run. A body that completed without its lock is `lost`. */
  async #closeWithoutLock(record: RunRecord): Promise<RunRecord> {
    const isLost = record.status === "completed";
    const end = isLost ? this.#ending({ status: "lost", error: "its lock was removed or taken" }) : record;
    const written = await this.#write(end, this.#next(end));
    if (written !== undefined && !isLost) return written;
    if (written !== undefined) publishRunEnded(written);
    throw lostRun(this.name);
  }

  /**
   * With two stores: closes the record, then releases the lock. A crash in between leaves a dead lock, which
   * will be found. The other order could leave an open record without a lock, which would not be found.
   */
  async #closeThenRelease(record: RunRecord): Promise<RunRecord> {
    const { locks, jobs } = this.#context;
    const { key } = this.#draft;
    let written: RunRecord | undefined;
    try {
      written = await this.#write(record);
    } catch (error) {
      // Keep the lock in the store: it leads the next heartbeat, or another process, to the open record.
      locks.giveUp(this.#lease, laterEnd(this.#context, record, error));
      throw error;
    }
    const isOurs = written !== undefined;
    const next = isOurs ? this.#next(record) : undefined;
    const claimed = this.#claimed();
    const hadLock = await releaseClosed(this.#context, this.#lease, { key, record, isOurs, next, claimed });
    if (written === undefined) throw hadLock ? await notRecordedBy(jobs, key, this.name) : lostRun(this.name);
    return written;
  }

  /** `next`: the ops that write the next attempt, if no commit follows that releases the lock. */
  #write(record: RunRecord, next?: readonly Op<unknown>[]): Promise<RunRecord | undefined> {
    const open = { key: this.#draft.key, version: this.#version };
    return writeEnd(this.#context, this.#lease, open, record, next);
  }
}

/** Publishes the end of a run. */
function publishRunEnded(record: RunRecord): RunRecord {
  runEnded.publish(() => ({ record }));
  return record;
}

/** A result with a thousand functions must not fill the terminal. */
const MOST_SHOWN = 5;

/** The most warnings that are remembered. A program may have a job for each of its users. */
const MOST_REMEMBERED = 1_000;

const given = new Set<string>();

/** Warns that the record of a run lacks a part of its result. Once for a job that runs each second. */
function warnOfLostResult(name: string, lost: readonly string[]): void {
  if (lost.length === 0) return;
  const more = lost.length > MOST_SHOWN ? `; and ${lost.length - MOST_SHOWN} more` : "";
  const text = `the record of "${name}" cannot hold its result as it is: ${lost.slice(0, MOST_SHOWN).join("; ")}${more}`;
  if (given.has(text)) return;
  if (given.size >= MOST_REMEMBERED) given.clear();
  given.add(text);
  emitWarning("OJM_RESULT", visible(text));
}
