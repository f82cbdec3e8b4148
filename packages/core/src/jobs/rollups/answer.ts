import type { RunRecord } from "../types.js";
import { addCell, addRun, type Cell, eachCell, emptyCell, floorTo } from "./cell.js";
import { CELL, type EntryPlace, PLACES, type Span } from "./entries.js";
import type { Asked } from "./options.js";
import type { Rollups } from "./types.js";

/** A cell of an answer, which can be added to. */
interface AnswerCell extends Cell {
  readonly at: number;
}

/** Gathers the cells of an answer. */
export class Answer {
  readonly #asked: Asked;
  readonly #jobs: Map<string, Map<number, AnswerCell>> = new Map();

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  wants(name: string): boolean {
    return this.#asked.names?.has(name) !== false;
  }

  addRun(record: Pick<RunRecord, "name" | "startTime" | "status" | "duration">): void {
    const { from, to, size } = this.#asked;
    const { name, startTime } = record;
    if (!this.wants(name) || startTime < from || startTime >= to) return;
    const cells = this.#cellsOf(name);
    const at = floorTo(startTime, size);
    const cell = cells.get(at) ?? { at, ...emptyCell() };
    cells.set(at, cell);
    addRun(cell, record);
  }

  /** Adds the cells of the value of an entry: those that begin before `end`. */
  addEntry(span: Span, { name, at: begin }: EntryPlace, value: unknown, end: number): void {
    if (!this.wants(name)) return;
    const { from, to, size } = this.#asked;
    const before = Math.min(to, end);
    const cells = this.#cellsOf(name);
    eachCell(value, PLACES[span], (place, runs, busy, longest) => {
      const start = begin + place * CELL[span];
      if (start < from || start >= before) return;
      const at = floorTo(start, size);
      const known = cells.get(at);
      if (known === undefined) cells.set(at, { at, runs, busy, longest });
      else addCell(known, { runs, busy, longest });
    });
  }

  shown(missing: Rollups["missing"]): Rollups {
    const jobs = [...this.#jobs]
      .filter(([, cells]) => cells.size > 0)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, cells]) => ({ name, cells: [...cells.values()].sort((a, b) => a.at - b.at) }));
    return missing === undefined ? { jobs } : { jobs, missing };
  }

  #cellsOf(name: string): Map<number, AnswerCell> {
    const cells = this.#jobs.get(name) ?? new Map<number, AnswerCell>();
    this.#jobs.set(name, cells);
    return cells;
  }
}
