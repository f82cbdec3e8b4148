import { cut, fit, GAP, type Room, widthOf } from "./width.js";

/** How a column shrinks on a terminal that is too narrow for all of them. */
export interface ColumnRoom {
  /** The column with the highest rank is left out first. Default: its place, from 0 on. */
  readonly rank?: number;
  /**
   * How its texts may be cut. `text`: first, to a few columns. A number: to this many columns at least.
   * `name`: only if it is long. Without `cut`, the column is shown whole or left out.
   */
  readonly cut?: "text" | "name" | number;
}

/** A text is cut to this many columns before a column of a higher rank is left out. */
const LEAST_TEXT = 12;

/**
 * A name that takes at most half of the line stays whole, because people copy it. A longer one is cut anyway,
 * and leaves room for others.
 */
const WHOLE_NAME = 0.5;
const CUT_NAME = 0.375;
const LEAST_NAME = 10;
const MOST_NAME = 40;

/** Writes a cell in its color; row 0 is the heading. */
export type PaintCell = (text: string, row: number, column: number) => string;

/** A table as lines for a terminal, and the columns that fit. */
export interface Grid {
  readonly lines: readonly string[];
  /** The widths of the columns; 0 for one that is left out. */
  readonly widths: readonly number[];
}

/**
 * Rows as lines of at most `width` columns; the first row is the heading. The cells must be single lines
 * without control characters. On a terminal, a column without any text is left out.
 */
export function grid(
  rows: readonly (readonly string[])[],
  columns: readonly ColumnRoom[],
  width: number,
  paint: PaintCell = (text) => text,
): Grid {
  const count = Math.max(...rows.map((row) => row.length));
  const natural = Array.from({ length: count }, (_, i) => Math.max(...rows.map((row) => widthOf(row[i] ?? ""))));
  const widths = Number.isFinite(width) ? fitted(rows, natural, columns, width) : natural;
  const shown = [...widths.keys()].filter((i) => (widths[i] ?? 0) > 0);
  const last = shown.at(-1);
  const lines = rows.map((row, at) =>
    shown
      .map((i) => {
        const text = cut(row[i] ?? "", widths[i] ?? 0);
        const padding = i === last ? "" : " ".repeat((widths[i] ?? 0) - widthOf(text));
        return `${paint(text, at, i)}${padding}`;
      })
      .join(" ".repeat(GAP))
      .trimEnd(),
  );
  return { lines, widths };
}

function fitted(
  rows: readonly (readonly string[])[],
  natural: readonly number[],
  columns: readonly ColumnRoom[],
  width: number,
): number[] {
  const hasText = (i: number): boolean => i === 0 || rows.some((row, at) => at > 0 && (row[i] ?? "") !== "");
  const places = [...natural.keys()].filter(hasText);
  const found = fit(
    places.map((i) => roomOf(natural[i] ?? 0, i, columns[i] ?? {}, width)),
    width,
  );
  return natural.map((_, i) => found[places.indexOf(i)] ?? 0);
}

function roomOf(natural: number, place: number, { rank = place, cut }: ColumnRoom, width: number): Room {
  if (cut === "text" || typeof cut === "number") return { natural, least: cut === "text" ? LEAST_TEXT : cut, rank };
  const isWhole = cut === undefined || natural <= width * WHOLE_NAME;
  const part = Math.max(LEAST_NAME, Math.min(MOST_NAME, Math.floor(width * CUT_NAME)));
  return { natural, least: isWhole ? natural : part, rank, isModest: !isWhole };
}
