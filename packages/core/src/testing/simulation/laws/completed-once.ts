import type { StoredChange } from "../../../channel/backend/backend.js";
import type { DoneValue } from "../../../jobs/run/done.js";
import type { RunRecord } from "../../../jobs/types.js";
import { isDone, isRecord } from "../entry-kinds.js";

/** How long a key stays done, in ms: longer than a simulation. */
export const KEPT = 3_600_000;

/** The keys of the calls: each is completed by one run at most, and all callers get its result. */
export class CompletedOnce {
  /** The runs that completed each key, by its entry: the id of the run, and its result. */
  readonly #done: Map<string, DoneValue> = new Map();
  /** The runs with a completed record, by name and lock. */
  readonly #completed: Map<string, string> = new Map();
  /** The results that callers got, by name and key. */
  readonly #results: Map<string, unknown> = new Map();
  #broken: string | undefined;
  #isOver = false;

  /** Call it with each change that the store applied. */
  applied({ key, value }: Pick<StoredChange, "key" | "value">): void {
    if (value === null) return;
    if (isDone(key)) {
      const done: DoneValue = JSON.parse(value);
      const before = this.#done.get(key);
      if (before !== undefined && before.run !== done.run)
        this.#broken ??= `${key} is done by ${done.run}, and was done by ${before.run}`;
      this.#done.set(key, done);
    } else if (isRecord(key)) {
      const { id, name, lock, status }: RunRecord = JSON.parse(value);
      if (status !== "completed" || lock?.startsWith("once/") !== true) return;
      const before = this.#completed.get(`${name} ${lock}`);
      if (before !== undefined && before !== id) this.#broken ??= `${lock} is completed by ${id}, and was by ${before}`;
      this.#completed.set(`${name} ${lock}`, id);
    }
  }

  /** Call it with the result that a caller got for a key. */
  got(key: string, result: unknown): void {
    const before = this.#results.get(key);
    if (before !== undefined && before !== result)
      this.#broken ??= `a caller got ${result} for ${key}, and another ${before}`;
    this.#results.set(key, result);
  }

  /** Call it when the store has forgotten everything: from then on, a key may be completed again. */
  forgotten(): void {
    this.#isOver = true;
    this.#broken = undefined;
  }

  check(): void {
    if (this.#broken !== undefined && !this.#isOver) throw new Error(this.#broken);
  }
}
