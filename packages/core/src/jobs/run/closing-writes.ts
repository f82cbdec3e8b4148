import { endingUntil, failedCheck, isFull, retry } from "../../channel/calls.js";
import type { Channel, ChannelOps } from "../../channel/channel.js";
import { isCorrupt, unlessCorrupt } from "../../channel/corrupt.js";
import { sameJson } from "../../channel/encoding/json.js";
import { knownValue } from "../../channel/encoding/prepared.js";
import { ChannelError, isChannelError } from "../../channel/errors.js";
import type { Entry, Key, Op, Version } from "../../channel/types.js";
import type { AtomicWrites, BeforeRemoval, PreparedWrites } from "../../locks/atomic-writes.js";
import { type LocksValue, type LockValue, lockKey } from "../../locks/entries/schema.js";
import type { Lease } from "../../locks/hold/lease.js";
import type { Clock } from "../../util/clock.js";
import { fieldsOf } from "../../util/shape.js";
import { visible } from "../../util/text.js";
import { emitWarning } from "../../util/warning.js";
import { RunError } from "../errors.js";
import { closeRunOf, runOf } from "../records/orphans.js";
import { isOverwritten, records, recordUnder } from "../records/read.js";
import { closingOps, endingOf, hasPlainEnd, lockOf, toRecord } from "../records/record.js";
import { follows, nextAttempt, pendingOp, retryKey } from "../retry/pending.js";
import { isTriedAgain } from "../retry/policy.js";
import { runId } from "../run-id.js";
import type { RunRecord } from "../types.js";
import { inOneStore, type RunContext } from "./context.js";
import type { Draft } from "./record-draft.js";

/** The number of newest records of the name that are searched for the next attempt. */
const NEWEST = 10;

/**
 * Closes a record that its run holds open. `open`: its key, and the version of the open record. `next`: with
 * one store, the ops that write the next attempt in the same commit. Resolves to the record as it is stored;
 * `undefined` if another process has closed, overwritten or removed it.
 */
export async function writeEnd(
  context: Pick<RunContext, "jobs" | "index" | "lockChannel" | "clock" | "ttl">,
  lease: Lease,
  open: { readonly key: Key; readonly version: Version },
  record: RunRecord,
  next?: readonly Op<unknown>[],
): Promise<RunRecord | undefined> {
  const { jobs, index, lockChannel } = context;
  const retryOptions = whileEnding(context, lease);
  const { key } = open;
  let [version, ending] = [open.version, record];
  try {
    for (;;) {
      const others = [
        // With one store this is rare, and the run may not be in the index.
        ...(inOneStore(context) ? index.addClosed(record) : index.addFailure(record)),
        ...(next === undefined ? [] : [{ channel: lockChannel, ops: next }]),
      ];
      const result = await retry(retryOptions, () =>
        jobs.commitWith<unknown[]>(closingOps(key, version, ending), others),
      );
      if (result.ok) return ending;
      const changed = await retry(retryOptions, () => changedUnder(jobs, key, record));
      if (changed === undefined || changed.version === version)
        return (await retry(retryOptions, () => isWritten(jobs, { key, recorded: "all" }, record)))
          ? ending
          : undefined;
      [version, ending] = [changed.version, { ...changed.value, ...record }];
    }
  } catch (error) {
    if (!isCorrupt(error) || !(await isOverwritten(jobs, key))) throw error;
    return undefined;
  }
}

/** How long the end of a run retries while the store is away. */
function whileEnding(
  { clock, ttl }: Pick<RunContext, "clock" | "ttl">,
  { session, until }: Lease,
): { readonly clock: Clock; readonly until: number; continues(): boolean } {
  return { clock, until: endingUntil(clock.monotonic(), until, ttl), continues: () => session.alive };
}

/**
 * The record of our run if it is still open. A program may have written it back with its own fields, which
 * the end keeps. No other run of this process has its key.
 */
async function changedUnder(
  jobs: Channel<RunRecord>,
  key: Key,
  { holder }: RunRecord,
): Promise<Entry<RunRecord> | undefined> {
  const entry = await recordUnder(jobs, key);
  const isOurs = entry?.value.status === "running" && entry.value.holder.instance === holder.instance;
  return isOurs ? entry : undefined;
}

/** The error of a run whose lock was lost or taken. */
export function lostRun(name: string): RunError {
  const text = `the run of "${name}" was closed by another process: its lock was lost or taken`;
  return new RunError("LOST", name, text);
}

/** The error of a run whose end was not recorded although its lock was there. */
export async function notRecordedBy(jobs: Channel<RunRecord>, key: Key, name: string): Promise<RunError> {
  const found = (await recordUnder(jobs, key))?.value;
  // A process that takes the lock closes the record first.
  if (found?.status === "lost" || found?.endedBy?.action === "unlock") return lostRun(name);
  const isThere = found !== undefined || (await isOverwritten(jobs, key));
  let why = isThere ? "another program has overwritten its record" : "another process has removed its record";
  if (found !== undefined) why = `another process has closed its record as ${found.status}`;
  return new RunError("ENDED", name, `the end of the run of "${name}" is not recorded: ${why}`);
}

/** Whether the record of a run stays after this end. */
export function isKept({ recorded }: Pick<Draft, "recorded">, { inError }: RunRecord): boolean {
  return recorded !== "none" && (recorded !== "failed" || inError === true);
}

/**
 * Whether the store has this end of a run: the answer may have been lost. It has the record, perhaps with
 * fields of others. If the record does not stay, it is gone: only the own end of a run deletes it.
 */
export async function isWritten(
  jobs: Channel<RunRecord>,
  draft: Pick<Draft, "key" | "recorded">,
  record: RunRecord,
): Promise<boolean> {
  const { key } = draft;
  if (!isKept(draft, record)) return (await recordUnder(jobs, key)) === undefined && !(await isOverwritten(jobs, key));
  const stored = fieldsOf<Record<string, unknown>>(await unlessCorrupt(jobs.get(key)));
  const ours: Record<string, unknown> = JSON.parse(JSON.stringify(record));
  return stored !== undefined && Object.entries(ours).every(([field, value]) => sameJson(stored[field], value));
}

/** The error for the caller if a full store rejected the end of a run, which is written once it can. */
export function notRecorded(name: string, { message, retryable, outcome, cause }: ChannelError): ChannelError {
  const text = `the end of the run of "${name}" cannot be recorded: ${message}`;
  return new ChannelError("FULL", text, { retryable, outcome, cause });
}

/**
 * Warns that a run has ended, and the store did not record that: its work may be done a second time. Often no
 * call can report it. A scheduler awaits no run, and a body that threw makes `run` reject with its own error.
 */
export function warnOfUnrecordedEnd(record: RunRecord, error: unknown): void {
  const { id, status, trigger } = record;
  const why = error instanceof Error ? error.message : String(error);
  // If the store answered, the error says who closed the run.
  const lost = isChannelError(error) ? " Unless its last write arrived, it will count as lost." : "";
  // Another worker attempts the item of a lost run by itself.
  const mayFollow = trigger === "queue" || isTriedAgain({ ...record, status: "lost" });
  const advice = mayFollow
    ? "Another attempt may follow: make the job idempotent, or fence its writes"
    : "Check its work before you start it again";
  const text = `the run "${id}" ended (${status}), but that is not recorded: ${why}.${lost} ${advice}`;
  emitWarning("OJM_UNRECORDED", visible(text));
}

/**
 * The ops that write the next attempt of a run that another process closed. That process may not have written
 * it yet, and can no longer do so once the lock is gone.
 */
export async function nextOpsOf(
  { jobs, clock }: Pick<RunContext, "jobs" | "clock">,
  key: Key,
  { retry }: Pick<RunRecord, "retry">,
): Promise<readonly Op<unknown>[] | undefined> {
  if (retry === undefined) return undefined;
  const closed = await recordUnder(jobs, key);
  const next = closed && nextAttempt(closed.value, undefined);
  return next && [pendingOp(next, clock.now())];
}

/** The ops that write the next attempt of a run that ended, if one follows. */
export function nextOps(
  { clock, closing }: Pick<RunContext, "clock" | "closing">,
  { session }: Lease,
  record: RunRecord,
): readonly Op<unknown>[] | undefined {
  // A process that is closing makes no attempt: others need not wait for its end.
  const next = nextAttempt(record, closing.aborted ? undefined : session.holder);
  return next && [pendingOp(next, clock.now())];
}

/** A closed record, with two stores, and its next attempt. */
export interface Closed {
  readonly key: Key;
  readonly record: RunRecord;
  /** Whether its own run closed it, not another process. */
  readonly isOurs: boolean;
  /** The ops that write the next attempt, if it is ours. */
  readonly next: readonly Op<unknown>[] | undefined;
  readonly claimed: ClaimedEnd | undefined;
}

/**
 * With two stores: releases the lock of a closed record. If that fails, the next heartbeat repeats it.
 * Resolves to whether the lease still had the lock, or true if the store did not answer.
 */
export async function releaseClosed(
  context: RunContext,
  lease: Lease,
  { key, record, isOurs, next: own, claimed }: Closed,
): Promise<boolean> {
  const next = isOurs ? own : await nextOpsOf(context, key, record);
  let others = claimed?.ops(record);
  const writes = {
    prepare: () => ({ lockOps: next, others }),
    refused: async () => {
      const hasChanged = await retry(whileEnding(context, lease), async () => claimed?.changed());
      others = hasChanged ? claimed?.ops(record) : undefined;
    },
  };
  const released = await context.locks
    .release(lease, next === undefined && others === undefined ? undefined : writes)
    .catch((error) => !isCorrupt(error));
  if (!released && isOurs && next !== undefined) await writeIfMissing(context, record, next).catch(() => {});
  return released;
}

/**
 * Writes the next attempt of a record that was closed while its lock still existed, unless that attempt was
 * written or made already. A lock that is removed by hand, or lost by the store, disappears without its next
 * attempt. A process that removes a lock as it should has written the attempt, and that attempt may be over
 * by now: it must not be made twice.
 */
async function writeIfMissing(
  { jobs, lockChannel, clock, ttl }: Pick<RunContext, "jobs" | "lockChannel" | "clock" | "ttl">,
  record: RunRecord,
  next: readonly Op<unknown>[],
): Promise<void> {
  const { name, chain = runId(record) } = record;
  const isLater = (it: Partial<RunRecord> | undefined): boolean => it !== undefined && follows(it, record);
  const [lockAt, pendingAt] = [lockKey(lockOf(record)), retryKey(name, chain)];
  const write = async (): Promise<boolean> => {
    const lock = (await lockChannel.entry(lockAt)) as Entry<LockValue> | undefined;
    if (lock !== undefined && isLater({ ...runOf(lock.value), fence: lock.version })) return true;
    for await (const entry of records(jobs, { prefix: { name }, reverse: true, limit: NEWEST }))
      if (isLater(toRecord(entry))) return true;
    // While the lock is unchanged, no attempt can have begun without its record being visible.
    const checks = [
      { check: lockAt, version: lock?.version ?? null },
      { check: pendingAt, version: null },
    ];
    const result = await lockChannel.commit([...checks, ...next]);
    return result.ok || failedCheck(result.failed, pendingAt) !== undefined;
  };
  const retryOptions = { clock, until: clock.monotonic() + ttl, continues: () => true };
  while (!(await retry(retryOptions, write)));
}

/**
 * How a run is closed after a full store rejected its end, once there is room; `undefined` for any other
 * error. Its caller got an error for the end, so a run that completed counts as `lost`.
 */
export function laterEnd(
  { jobs, index, lockChannel }: RunContext,
  record: RunRecord,
  refusal: unknown,
): BeforeRemoval | undefined {
  let ending = endingOf(record);
  const { status, error, endTime } = record;
  if (!isFull(refusal) || ending === undefined || endTime === undefined) return undefined;
  const why = `but its end could not be recorded: ${refusal.message}`;
  if (status === "completed") ending = { status: "lost", error: `it completed, ${why}` };
  if (status === "skipped") ending = { status: "lost", error: `it was skipped (${error}), ${why}` };
  const stores = { jobs, index, locks: lockChannel as Channel<LocksValue> };
  const end = { ...ending, endTime };
  return (lock) => closeRunOf(stores, lock, end);
}

/** The ops of a claim for the end of its run. */
export interface ClaimedEnd {
  ops(record: RunRecord): readonly ChannelOps<unknown>[];
  /** As {@link StartClaim.endRefused}. */
  changed(): Promise<boolean>;
  /** The end of the run if a check of these ops fails. */
  failed(): RunRecord;
  /** Set once that was tried. */
  readonly retried?: boolean;
}

/** The close of a record in the commit that releases its lock. */
export class ClosingWrites implements AtomicWrites {
  readonly #context: RunContext;
  readonly #whileEnding: ReturnType<typeof whileEnding>;
  readonly #key: Key;
  readonly #draft: Draft;
  #record: RunRecord;
  /** The ops on the record, and those on the index that go with them. */
  #close: readonly ChannelOps<unknown>[];
  #version: Version;
  #written: RunRecord;
  #next: readonly Op<unknown>[] | undefined;
  #claimed: ClaimedEnd | undefined;
  #isRefused = false;

  /** `next`: the ops that write the next attempt. */
  constructor(
    context: RunContext,
    lease: Lease,
    draft: Draft,
    version: Version,
    record: RunRecord,
    next: readonly Op<unknown>[] | undefined,
    claimed: ClaimedEnd | undefined,
  ) {
    this.#context = context;
    this.#whileEnding = whileEnding(context, lease);
    this.#record = record;
    this.#written = record;
    this.#key = draft.key;
    this.#draft = draft;
    this.#version = version;
    this.#close = this.#closing(hasPlainEnd(record) ? knownValue<RunRecord>(draft.text.ended(record)) : record);
    this.#next = next;
    this.#claimed = claimed;
  }

  /** Whether another process closed or overwrote the record: then only the lock remains to be released. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** The record as it is closed, with the fields that other programs added while it was open. */
  get written(): RunRecord {
    return this.#written;
  }

  prepare(): PreparedWrites {
    const claimed = this.#claimed?.ops(this.#record);
    if (this.#isRefused) return { lockOps: this.#next, others: claimed };
    return { others: claimed === undefined ? this.#close : [...this.#close, ...claimed], lockOps: this.#next };
  }

  /** The ops that close the record with this value, or delete it. */
  #closing(value: RunRecord): readonly ChannelOps<unknown>[] {
    const { jobs, index } = this.#context;
    const record = this.#record;
    const { name, startTime, inError } = record;
    const [check, put] = closingOps(this.#key, this.#version, value);
    const isStaying = isKept(this.#draft, record);
    const close = { channel: jobs, ops: [check, isStaying ? put : { delete: this.#key }] } as ChannelOps<unknown>;
    // A check of all records may have added it to the index.
    if (!isStaying) return [close, ...index.remove([{ name, startTime }])];
    if (this.#draft.recorded !== "all") return [close, ...index.addClosed(record)];
    return inError === true ? [close, ...index.addFailure(record)] : [close];
  }

  async refused(): Promise<void> {
    const claimed = this.#claimed;
    if ((await this.readAgain()) || claimed === undefined) return;
    if (await retry(this.#whileEnding, () => claimed.changed())) return;
    // The record is as we left it: a check of the claim failed.
    const failed = claimed.retried ? undefined : claimed.failed();
    this.#claimed = failed && { ...claimed, retried: true };
    if (failed === undefined || this.#isRefused) return;
    this.#record = failed;
    this.#written = { ...this.#written, ...failed };
    this.#close = this.#closing(this.#written);
  }

  /** Reads the record again, and writes the end to what it is now. Resolves to whether it had changed. */
  async readAgain(): Promise<boolean> {
    if (this.#isRefused) return false;
    const { jobs } = this.#context;
    const found = await retry(this.#whileEnding, () => changedUnder(jobs, this.#key, this.#record));
    if (found === undefined) {
      this.#isRefused = true;
      this.#next = await nextOpsOf(this.#context, this.#key, this.#record);
      return true;
    }
    if (found.version === this.#version) return false;
    this.#version = found.version;
    this.#written = { ...found.value, ...this.#record };
    this.#close = this.#closing(this.#written);
    return true;
  }

  async corrupt(): Promise<boolean> {
    if (this.#isRefused) return false;
    this.#isRefused = await isOverwritten(this.#context.jobs, this.#key);
    if (this.#isRefused) this.#next = undefined;
    return this.#isRefused;
  }

  unwritten(refusal: unknown): BeforeRemoval | undefined {
    return this.#isRefused ? undefined : laterEnd(this.#context, this.#record, refusal);
  }
}
