import { plain } from "./ansi.js";
import { isLine, type Row } from "./log-model.js";
import { saysError } from "./says-error.js";

/** The rows of a log that have a text. Rows that are added cost no second look at those before. */
export class Search {
  matches: number[] = [];
  #found = "";
  #looked = 0;

  /** Looks through the rows from `kept` on, or through all if something else is searched for. */
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

  /** The match after a row, or the one before it; from the other end if there is none. */
  next(row: number, step: 1 | -1): number | undefined {
    if (step === 1) return this.matches.find((each) => each > row) ?? this.matches[0];
    return this.matches.findLast((each) => each < row) ?? this.matches.at(-1);
  }
}

/** The first line of the level error; without one, the first that speaks of an error. */
export class FirstError {
  #level = -1;
  #word = -1;
  #looked = 0;

  /** Looks through the rows from `kept` on: those before are as they were. */
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
