import type { RunRecord } from "../types.js";
import { addCell, addRun, type Cell, type Cells, cellAt, floorTo, shownCell } from "./cell.js";
import type { Asked } from "./options.js";
import type { Rollups } from "./types.js";

/** Gathers the cells of an answer. */
export class Answer {
  readonly #asked: Asked;
  readonly #jobs: Map<string, Map<number, Cell>> = new Map();

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  wants(name: string): boolean {
    return this.#asked.names?.has(name) !== false;
  }

  addRun(record: Pick<RunRecord, "name" | "startTime" | "status" | "duration">): void {
    const { from, to, size } = this.#asked;
    const { name, startTime } = record;
    if (this.wants(name) && startTime >= from && startTime < to)
      addRun(cellAt(this.#job(name), floorTo(startTime, size)), record);
  }

  /**
   * Adds the cells of an entry that begins at `begin`, each `size` ms long, if they begin before `end`. They
   * belong to the answer from then on.
   */
  addCells(name: string, begin: number, size: number, cells: Cells, end: number): void {
    if (!this.wants(name)) return;
    const { from, to, size: shown } = this.#asked;
    const before = Math.min(to, end);
    const job = this.#jobs.get(name) ?? new Map<number, Cell>();
    for (const [place, cell] of cells) {
      const at = begin + place * size;
      if (at < from || at >= before) continue;
      const key = floorTo(at, shown);
      const known = job.get(key);
      if (known === undefined) job.set(key, cell);
      else addCell(known, cell);
    }
    if (job.size > 0) this.#jobs.set(name, job);
  }

  shown(missing: Rollups["missing"]): Rollups {
    const jobs = [...this.#jobs]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, cells]) => {
        const sorted = [...cells].toSorted(([a], [b]) => a - b);
        return { name, cells: sorted.map(([at, cell]) => shownCell(at, cell)) };
      });
    return missing === undefined ? { jobs } : { jobs, missing };
  }

  #job(name: string): Map<number, Cell> {
    const cells = this.#jobs.get(name) ?? new Map<number, Cell>();
    this.#jobs.set(name, cells);
    return cells;
  }
}
