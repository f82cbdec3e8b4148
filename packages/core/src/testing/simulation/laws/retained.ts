import type { StoredChange } from "../../../channel/backend/backend.js";
import type { RunRecord } from "../../../jobs/types.js";
import { isLock, isRecord, isRetry } from "../entry-kinds.js";

/** The retention of the simulated stores. */
export const RETENTION: { readonly olderThan: number; readonly keep: number } = { olderThan: 6_000, keep: 2 };

/** The number of parts of that time that must have runs before a clock is trusted, and their length. */
const PARTS = 8;
const PART: number = RETENTION.olderThan / PARTS;

/**
 * The records that the retention of a store deletes: of ended runs, whose retry series is over, and which are
 * neither among the newest of their name nor among the latest parts of the history.
 */
export class Retained {
  /** The records that are in the store, by key. */
  readonly #records: Map<string, RunRecord> = new Map();
  /** The retry series with a pending attempt, and those that hold a lock, by the keys of their entries. */
  readonly #waiting: Map<string, string> = new Map();
  readonly #running: Map<string, string | undefined> = new Map();
  /** The parts of the history in which runs began, including runs that were pruned since. */
  readonly #parts: Set<number> = new Set();
  #broken: string | undefined;

  /** Call it with each applied change. `isPruned`: whether a delete comes from the retention. */
  applied({ key, value }: StoredChange, isPruned: boolean): void {
    if (isRetry(key)) {
      if (value === null) this.#waiting.delete(key);
      else this.#waiting.set(key, JSON.parse(value).chain);
    } else if (isLock(key)) {
      this.#running.set(key, value === null ? undefined : JSON.parse(value).note?.chain);
    } else if (isRecord(key)) {
      const record = this.#records.get(key);
      if (value !== null) this.#add(key, JSON.parse(value));
      else if (record !== undefined) this.#delete(key, record, isPruned);
    }
  }

  #add(key: string, record: RunRecord): void {
    this.#records.set(key, record);
    this.#parts.add(partOf(record));
  }

  #delete(key: string, record: RunRecord, isPruned: boolean): void {
    this.#records.delete(key);
    if (!isPruned) return;
    const { id, name, startTime, status } = record;
    const chain = record.chain ?? id;
    const all = [...this.#records.values()];
    const newer = all.filter((it) => it.name === name && it.startTime > startTime).length;
    const later = [...this.#parts].filter((part) => part > partOf(record)).length;
    if (status === "running") this.#broken ??= `the run ${id} is pruned while it is running`;
    if (newer < RETENTION.keep) this.#broken ??= `the run ${id} is pruned, which has ${newer} newer ones`;
    if (later < PARTS)
      this.#broken ??= `the run ${id} is pruned, and the history has continued for ${later} parts since`;
    if ([...this.#waiting.values(), ...this.#running.values()].includes(chain))
      this.#broken ??= `the run ${id} is pruned, and its chain is not over`;
  }

  /** Call it when the store has forgotten its content. */
  forgotten(): void {
    this.#waiting.clear();
    this.#running.clear();
  }

  check(): void {
    if (this.#broken !== undefined) throw new Error(this.#broken);
  }
}

const partOf = ({ startTime }: RunRecord): number => Math.floor(startTime / PART);
