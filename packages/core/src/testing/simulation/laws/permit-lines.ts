import type { Commit, StoredChange } from "../../../channel/backend/backend.js";
import type { PermitValue } from "../../../jobs/run/permit-entries.js";
import { parseRunId } from "../../../jobs/run-id.js";

const LINE = /^oJobManager-locks \["lock "ojm!_permit!_([^" ]+) $/;
const PERMIT = /^oJobManager-locks \["permit "([^" ]+) =/;

/**
 * The lines of the runs that wait for a permit: a free permit is for the first in line. A run that takes
 * several permits may pass the line of one of them if it is the first in that of another.
 */
export class PermitLines {
  /** The first in each line, by permit: the process and the name of the run. */
  readonly #first: Map<string, string> = new Map();
  /** The runs that were the first in a line of one of their permits when they sent their commit. */
  readonly #entitled: Set<string> = new Set();
  #broken: string | undefined;

  sent({ writes }: Commit): void {
    for (const { key, value } of writes) {
      const [, permit] = PERMIT.exec(key) ?? [];
      if (permit === undefined || value === null) continue;
      const taken: PermitValue = JSON.parse(value);
      if (this.#first.get(permit) === runnerOf(taken)) this.#entitled.add(taken.run);
    }
  }

  applied({ key, value }: Pick<StoredChange, "key" | "value">): void {
    const [, line] = LINE.exec(key) ?? [];
    if (line !== undefined) {
      if (value === null) this.#first.delete(line);
      else this.#first.set(line, `${JSON.parse(value).holder.instance} ${JSON.parse(value).note?.for}`);
    }
    const [, permit] = PERMIT.exec(key) ?? [];
    if (permit === undefined || value === null) return;
    const taken: PermitValue = JSON.parse(value);
    const first = this.#first.get(permit);
    if (first === undefined || first === runnerOf(taken) || this.#entitled.has(taken.run)) return;
    this.#broken ??= `${taken.run} passes the first in line for the permit ${permit}`;
  }

  /** Call it when the store has forgotten everything: a run may still believe that it is the first. */
  forgotten(): void {
    this.#first.clear();
    this.#broken = undefined;
  }

  check(): void {
    if (this.#broken !== undefined) throw new Error(this.#broken);
  }
}

const runnerOf = ({ run, holder }: PermitValue): string => `${holder.instance} ${parseRunId(run)?.name}`;
