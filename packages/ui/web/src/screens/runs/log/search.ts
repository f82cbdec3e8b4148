import { plain } from "./ansi.js";
import { saysError } from "./error-words.js";
import { isLine, type Row } from "./log-model.js";

/** The rows of a log that contain a text. Adding rows does not search the rows before them again. */
export class Search {
  matches: number[] = [];
  #found = "";
  #looked = 0;

  /** Searches the rows from `kept` on, or all rows if the text has changed. */
  update(rows: readonly Row[], kept: number, found: string): void {
    const from = found === this.#found ? Math.min(kept, this.#looked) : 0;
    this.matches = this.matches.filter((row) => row < from);
    this.#found = found;
    this.#looked = rows.length;
    if (found === "") {
      this.matches = [];
      return;
    }
    for (let i = from; i < rows.length; i++) {
      const row = rows[i];
      if (row !== undefined && isLine(row) && plain(row.text).toLowerCase().includes(found)) this.matches.push(i);
    }
  }

  /** The match after a row, or the one before it; wraps around at the ends. */
  next(row: number, step: 1 | -1): number | undefined {
    if (step === 1) return this.matches.find((each) => each > row) ?? this.matches[0];
    return this.matches.findLast((each) => each < row) ?? this.matches.at(-1);
  }
}

/** The first line with the level error; without one, the first that mentions an error. */
export class FirstError {
  #level = -1;
  #word = -1;
  #looked = 0;

  /** Searches the rows from `kept` on: those before are unchanged. */
  update(rows: readonly Row[], kept: number): Row | undefined {
    const from = Math.min(kept, this.#looked);
    if (this.#level >= from) this.#level = -1;
    if (this.#word >= from) this.#word = -1;
    for (let i = from; i < rows.length && this.#level < 0; i++) {
      const row = rows[i];
      if (row === undefined || !isLine(row)) continue;
      if (row.level === "error") this.#level = i;
      else if (this.#word < 0 && saysError(plain(row.text))) this.#word = i;
    }
    this.#looked = rows.length;
    return rows[this.#level < 0 ? this.#word : this.#level];
  }
}
