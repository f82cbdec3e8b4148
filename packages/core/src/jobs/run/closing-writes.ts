import { isFull } from "../../channel/calls/full.js";
import type { Channel, ChannelOps } from "../../channel/channel.js";
import { knownValue } from "../../channel/encoding/known-value.js";
import type { Key, Op, Version } from "../../channel/types.js";
import type { AtomicWrites, BeforeRemoval, PreparedWrites } from "../../locks/atomic-writes.js";
import type { LocksValue } from "../../locks/entries/schema.js";
import { closeRunOf } from "../records/orphans.js";
import { isOverwritten, recordUnder } from "../records/read.js";
import type { Ending } from "../records/record.js";
import { nextAttempt, pendingOp } from "../retry/pending.js";
import type { RunRecord } from "../types.js";
import type { RunContext } from "./context.js";
import type { Draft } from "./record-draft.js";

/** The ops that close an open record, if it is still at this version. */
export function closingOps(key: Key, version: Version, record: RunRecord): Op<RunRecord>[] {
  return [
    { check: key, version },
    { put: key, value: record },
  ];
}

/**
 * The ops that write the next attempt of a run that another process closed. That process may not have written
 * it yet, and cannot any more once the lock is gone.
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

/**
 * How a run is closed whose end a full store refused, once there is room; `undefined` for any other error.
 * Its caller was told that the end failed, so a run that completed counts as `lost`.
 */
export function laterEnd(
  { jobs, index, lockChannel }: RunContext,
  record: RunRecord,
  refusal: unknown,
): BeforeRemoval | undefined {
  const { status, error, stack, endTime } = record;
  if (!isFull(refusal) || status === "running" || endTime === undefined) return undefined;
  const why = `but its end could not be recorded: ${refusal.message}`;
  let ending: Ending = { status, ...(error !== undefined && { error }), ...(stack !== undefined && { stack }) };
  if (status === "completed") ending = { status: "lost", error: `it completed, ${why}` };
  if (status === "skipped") ending = { status: "lost", error: `it was skipped (${error}), ${why}` };
  const stores = { jobs, index, locks: lockChannel as Channel<LocksValue> };
  return (lock) => closeRunOf(stores, lock, { ...ending, endTime });
}

/** The close of a record in the commit that releases its lock. */
export class ClosingWrites implements AtomicWrites {
  readonly #context: RunContext;
  readonly #record: RunRecord;
  readonly #key: Key;
  readonly #ops: readonly Op<RunRecord>[];
  #next: readonly Op<unknown>[] | undefined;
  #isRefused = false;

  /** `next`: the ops that write the next attempt. */
  constructor(
    context: RunContext,
    { key, text }: Draft,
    version: Version,
    record: RunRecord,
    next: readonly Op<unknown>[] | undefined,
  ) {
    this.#context = context;
    this.#record = record;
    this.#key = key;
    const { result, stack, endedBy } = record;
    const isPlain = result === undefined && stack === undefined && endedBy === undefined;
    const value = isPlain ? knownValue<RunRecord>(text.ended(record)) : record;
    this.#ops = closingOps(key, version, value);
    this.#next = next;
  }

  /** Whether another process closed or overwrote the record: only the lock is left to release then. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  prepare(): PreparedWrites {
    if (this.#isRefused) return { lockOps: this.#next };
    const others = [{ channel: this.#context.jobs, ops: this.#ops } as ChannelOps<unknown>];
    return { others, lockOps: this.#next };
  }

  async refused(): Promise<void> {
    this.#isRefused = true;
    this.#next = await nextOpsOf(this.#context, this.#key, this.#record);
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
