import type { Channel, ChannelOps } from "../../channel/channel.js";
import { knownValue } from "../../channel/encoding/known-value.js";
import type { Key, Op, Version } from "../../channel/types.js";
import type { AtomicWrites, PreparedWrites } from "../../locks/atomic-writes.js";
import { isOverwritten } from "../records/read.js";
import type { RunRecord } from "../types.js";
import type { Draft } from "./record-draft.js";

/** The ops that close an open record, if it is still at this version. */
export function closingOps(key: Key, version: Version, record: RunRecord): Op<RunRecord>[] {
  return [
    { check: key, version },
    { put: key, value: record },
  ];
}

/** The close of a record in the commit that releases its lock. */
export class ClosingWrites implements AtomicWrites {
  readonly #jobs: Channel<RunRecord>;
  readonly #key: Key;
  readonly #ops: readonly Op<RunRecord>[];
  #isRefused = false;

  constructor(jobs: Channel<RunRecord>, { key, text }: Draft, version: Version, record: RunRecord) {
    this.#jobs = jobs;
    this.#key = key;
    const value = record.result === undefined ? knownValue<RunRecord>(text.ended(record)) : record;
    this.#ops = closingOps(key, version, value);
  }

  /** Whether another process closed or overwrote the record: only the lock is left to release then. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  prepare(): PreparedWrites {
    if (this.#isRefused) return {};
    return { others: [{ channel: this.#jobs, ops: this.#ops } as ChannelOps<unknown>] };
  }

  refused(): void {
    this.#isRefused = true;
  }

  async corrupt(): Promise<boolean> {
    if (this.#isRefused) return false;
    this.#isRefused = await isOverwritten(this.#jobs, this.#key);
    return this.#isRefused;
  }
}
