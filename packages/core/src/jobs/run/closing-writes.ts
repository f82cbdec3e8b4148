import { isFull } from "../../channel/calls/full.js";
import type { Channel, ChannelOps } from "../../channel/channel.js";
import { knownValue } from "../../channel/encoding/known-value.js";
import type { Key, Op, Version } from "../../channel/types.js";
import type { AtomicWrites, BeforeRemoval, PreparedWrites } from "../../locks/atomic-writes.js";
import type { LocksValue } from "../../locks/entries/schema.js";
import { closeRunOf } from "../records/orphans.js";
import { isOverwritten } from "../records/read.js";
import type { Ending } from "../records/record.js";
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
  #isRefused = false;

  constructor(context: RunContext, { key, text }: Draft, version: Version, record: RunRecord) {
    this.#context = context;
    this.#record = record;
    this.#key = key;
    const { result, stack, endedBy } = record;
    const isPlain = result === undefined && stack === undefined && endedBy === undefined;
    const value = isPlain ? knownValue<RunRecord>(text.ended(record)) : record;
    this.#ops = closingOps(key, version, value);
  }

  /** Whether another process closed or overwrote the record: only the lock is left to release then. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  prepare(): PreparedWrites {
    if (this.#isRefused) return {};
    return { others: [{ channel: this.#context.jobs, ops: this.#ops } as ChannelOps<unknown>] };
  }

  refused(): void {
    this.#isRefused = true;
  }

  async corrupt(): Promise<boolean> {
    if (this.#isRefused) return false;
    this.#isRefused = await isOverwritten(this.#context.jobs, this.#key);
    return this.#isRefused;
  }

  unwritten(refusal: unknown): BeforeRemoval | undefined {
    return this.#isRefused ? undefined : laterEnd(this.#context, this.#record, refusal);
  }
}
