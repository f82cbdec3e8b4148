import { visible } from "@ojm/core/internal";
import { type ColumnRoom, grid, type PaintCell } from "./width/grid.js";
import { outputWidth, prepareWidths } from "./width/width.js";

/**
 * Rows as a table; the first row is the heading. Each row is one line without control characters, because
 * cells come from a store. On a terminal the lines fit its width. A file or a pipe gets full texts: the end
 * of an error is often its reason.
 */
export async function table(
  cells: readonly (readonly string[])[],
  columns: readonly ColumnRoom[] = [],
  paint?: PaintCell,
): Promise<string> {
  const rows = cells.map((row) => row.map(oneLine));
  await prepareWidths(rows.flat());
  const { lines, widths } = grid(rows, columns, outputWidth(), paint);
  const [head = "", ...body] = lines;
  const rule = widths
    .filter((width) => width > 0)
    .map((width) => "-".repeat(width))
    .join("  ");
  return [head, rule, ...body].map((text) => `${text}\n`).join("");
}

/**
 * A cell as one line. In a name, line breaks are escapes, as in errors and hints: a user may type it. In
 * other texts they become spaces.
 */
export function cellText(text: string, { cut }: Pick<ColumnRoom, "cut"> = {}): string {
  return cut === "name" ? visible(text) : oneLine(text);
}

/** A text as one line: line breaks become spaces, and control characters become escapes. */
export function oneLine(text: string): string {
  return visible(text.trim().replace(/[\r\n\t]+/g, " "));
}
