import type { LogItem } from "../../../api/types.js";

/** The height of a line of text, in px. The style sheet has the same. */
export const LINE_HEIGHT = 20;

/** Where each row of a long list starts, in px. Adding rows does not recompute the rows before them. */
export class Heights {
  #tops: number[] = [0];

  /** Computes the rows again from `from` on. `linesOf`: how many lines of text a row takes. */
  update(from: number, length: number, linesOf: (row: number) => number): void {
    this.#tops.length = Math.min(from, this.#tops.length - 1) + 1;
    for (let row = this.#tops.length - 1; row < length; row++) {
      this.#tops.push((this.#tops[row] ?? 0) + linesOf(row) * LINE_HEIGHT);
    }
  }

  /** How many lines of text a row takes. */
  linesAt(row: number): number {
    return (this.topOf(row + 1) - this.topOf(row)) / LINE_HEIGHT;
  }

  get total(): number {
    return this.#tops.at(-1) ?? 0;
  }

  topOf(row: number): number {
    return this.#tops[row] ?? this.total;
  }

  /** The row at a height. */
  rowAt(y: number): number {
    let low = 0;
    let high = this.#tops.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }
}

/** How many lines a log has, and how many are missing, as far as that is known. */
export function countLines(rows: readonly (LogItem | { readonly loading: true })[]): {
  readonly lines: number;
  readonly missing: number;
} {
  let [lines, missing] = [0, 0];
  for (const row of rows) {
    if ("line" in row) lines = row.line - missing;
    else if ("missing" in row && row.missing !== "unknown") missing += row.missing.lines;
  }
  return { lines, missing };
}

/** How many columns a text takes: East Asian characters and emoji take two. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const letter of text) columns += (letter.codePointAt(0) ?? 0) >= 0x1100 ? 2 : letter === "\t" ? 8 : 1;
  return columns;
}
