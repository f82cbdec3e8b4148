import { expect } from "vitest";
import type { StoredChange } from "../../channel/backend/backend.js";
import { compareVersions } from "../../channel/encoding/version.js";
import type { Run, RunRecord } from "../../jobs/types.js";
import { Attempts } from "./chains.js";

/** A record to which programs have added a count of their writes. */
export type AddedTo = RunRecord & { readonly added?: number };

/** The history that is expected at the end, from the writes to it and the answers to callers. */
export class Ledger {
  /** Whether records and locks are in two stores. */
  readonly #apart: boolean;
  /** The writes to each record, in order. */
  readonly #written: Map<string, RunRecord[]> = new Map();
  /** The runs that began. */
  readonly #begun: Map<string, Run> = new Map();
  /** The answers of run() to its callers, by run. */
  readonly #told: Map<string, { readonly fence: string; readonly outcome: string }> = new Map();
  /** The requested cancels, by their reasons: the name, and the run if it is known. */
  readonly #cancels: Map<string, { readonly name: string; readonly id?: string }> = new Map();
  readonly #attempts: Attempts = new Attempts();
  /** The largest number of records at one time. */
  #most = 0;
  /** The records that the retention of the store has deleted, as they were. */
  readonly #pruned: Map<string, RunRecord> = new Map();
  /** The store may have forgotten the records of runs before this version. */
  #forgotten = "0";

  constructor(apart: boolean) {
    this.#apart = apart;
  }

  /** Call it with each change of a record that the store applied. */
  applied({ key, value }: StoredChange, isPruned: boolean): void {
    if (value === null) {
      const last = this.#written.get(key)?.at(-1);
      if (last !== undefined && isPruned) this.#pruned.set(key, last);
      else this.#written.delete(key);
      return;
    }
    // The commit of a start that arrives after its record was closed and pruned writes it once more. It is
    // closed once more, too.
    if (this.#pruned.delete(key)) {
      this.#checkWrites(key, this.#written.get(key) ?? []);
      this.#written.delete(key);
    }
    const writes = this.#written.get(key) ?? [];
    this.#written.set(key, writes);
    writes.push(JSON.parse(value));
    this.#attempts.applied(JSON.parse(value));
    this.#most = Math.max(this.#most, this.#written.size);
  }

  get pruned(): RunRecord[] {
    return [...this.#pruned.values()];
  }

  forgotten(version: string): void {
    this.#forgotten = version;
  }

  begun(run: Run): void {
    this.#begun.set(`${run.name} ${run.fence}`, run);
  }

  told({ name, fence }: Run, outcome: string): void {
    this.#told.set(`${name} ${fence}`, { fence, outcome });
  }

  /** Call it before a cancel. Returns its reason. */
  asking(name: string): string {
    const reason = `simulated ${this.#cancels.size}`;
    this.#cancels.set(reason, { name });
    return reason;
  }

  /** Call it with the result of a cancel. */
  asked(reason: string, { name, id, status }: RunRecord, ended: boolean): void {
    this.#cancels.set(reason, { name, id });
    expect(ended, id).toBe(status !== "running");
  }

  /** Call it with the number of runs that an answer about all of them has counted. */
  counted(count: number): void {
    // An answer may be from before the store forgot its records.
    const size = this.#forgotten === "0" ? this.#written.size : this.#most;
    if (count > size) throw new Error(`the rollups count ${count} runs, of ${size} that began`);
  }

  /** Checks `records`, all that remain, and those that were pruned. */
  check(records: readonly RunRecord[]): void {
    const byRun = new Map<string, RunRecord>();
    for (const record of [...records, ...this.pruned]) {
      expect(record.status, JSON.stringify(record)).not.toBe("running");
      byRun.set(`${record.name} ${record.fence}`, record);
      // A cancel of a name ends all its pending attempts.
      const isAttempt = (record.attempt ?? 1) > 1 || record.chain !== undefined;
      const hasBegun = this.#begun.has(`${record.name} ${record.fence}`);
      if (record.endedBy?.action === "cancel" && (hasBegun || !isAttempt))
        this.#checkCancel(record, record.endedBy.reason);
    }
    for (const [name, { fence, startTime }] of this.#begun) {
      if (this.#remembers(fence)) expect(`${byRun.get(name)?.startTime}`, name).toBe(`${startTime}`);
    }
    for (const [key, writes] of this.#written) this.#checkWrites(key, writes);
    for (const [name, { fence, outcome }] of this.#told) {
      if (!this.#remembers(fence)) continue;
      const status = byRun.get(name)?.status;
      if (outcome === "completed") expect(status, name).toBe("completed");
      else expect(status, name).not.toBe("completed");
    }
  }

  /** A cancel ends the intended run, and no other. */
  #checkCancel({ name, id, status }: RunRecord, reason: string): void {
    expect(status, id).toBe("cancelled");
    const cancel = this.#cancels.get(reason);
    if (cancel?.name !== name || (cancel.id ?? id) !== id)
      throw new Error(`the run ${id} was cancelled for ${reason}, which meant ${JSON.stringify(cancel)}`);
  }

  #remembers(fence: string): boolean {
    return compareVersions(fence, this.#forgotten) > 0;
  }

  #checkWrites(key: string, writes: readonly RunRecord[]): void {
    const closings = writes.filter(({ status }) => status !== "running").length;
    if (closings > 1) throw new Error(`the run ${key} was closed ${closings} times: ${JSON.stringify(writes)}`);
    // Its record may be missing at the close: late with two stores, or forgotten by the store.
    const mayLack = this.#apart || writes.some(({ fence }) => fence !== undefined && !this.#remembers(fence));
    const begun = !mayLack || writes.length > 1 ? [true] : [];
    const added = (record: AddedTo | undefined): number => record?.added ?? 0;
    for (const [i, record] of writes.entries())
      if (added(record) < added(writes[i - 1])) throw new Error(`the run ${key} lost what a program added to it`);
    const ours = writes.filter((record, i) => record.status !== "running" || added(record) === added(writes[i - 1]));
    const running = ours.map(({ status }) => status === "running");
    expect(running, `${key} ${JSON.stringify(writes)}`).toEqual([...begun, false]);
  }
}
