import { visible } from "@ojm/core/backend";

/** The longest text of a cell, and rule below a heading, that suits a terminal. */
const MOST = 80;

/**
 * Rows as a table of columns, the first row being the heading. Plain text: it may go into a pipe. Each row is
 * one line that a terminal only shows, whatever its cells hold: they come from a store. `paint` colors a
 * cell, row 0 being the heading.
 */
export async function table(
  cells: readonly (readonly string[])[],
  paint: (text: string, row: number, column: number) => string = (text) => text,
): Promise<string> {
  const rows = cells.map((row) => row.map((cell) => oneLine(cell)));
  await prepareWidths(rows.flat());
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => widthOf(row[i] ?? ""))));
  const line = (row: readonly string[], at: number): string =>
    row
      .map((cell, i) => `${paint(cell, at, i)}${" ".repeat(Math.max(0, (widths[i] ?? 0) - widthOf(cell)))}`)
      .join("  ")
      .trimEnd();
  const [head, ...body] = rows.map(line);
  const rule = widths.map((width) => "-".repeat(Math.min(width, MOST))).join("  ");
  return [head, rule, ...body].map((text) => `${text}\n`).join("");
}

/**
 * A job's name or error as one line: line breaks become spaces, and what a terminal would obey an escape. Cut
 * only on a terminal: the end of an error that goes into a file or a pipe is often its reason, and would be
 * lost.
 */
export function oneLine(text: string, most: number = process.stdout.isTTY ? MOST : Number.POSITIVE_INFINITY): string {
  const plain = visible(text.trim().replace(/[\r\n\t]+/g, " "));
  return plain.length > most ? `${plain.slice(0, most - 1)}…` : plain;
}

const ASCII = /^[\x20-\x7e]*$/;

/** How many columns a text takes on a terminal. Loaded when a text needs it: it is felt at each start. */
let wide: ((text: string) => number) | undefined;

/** Loads what `widthOf` needs for these texts. */
async function prepareWidths(texts: readonly string[]): Promise<void> {
  if (wide === undefined && !texts.every((text) => ASCII.test(text))) wide = (await import("string-width")).default;
}

/** How many columns a text takes on a terminal: wide characters take two, combining ones none. */
function widthOf(text: string): number {
  return wide === undefined || ASCII.test(text) ? text.length : wide(text);
}
