import { LINES, visible } from "@ojm/core/internal";
import type { Given } from "../command-line/spec.js";
import { type Color, painter } from "./color.js";
import { jsonText, print, printError, wantsJson } from "./print.js";
import { cellText, oneLine, table } from "./table.js";
import type { ColumnRoom } from "./width/grid.js";

/** A column of a table. */
export interface Column<T> extends ColumnRoom {
  readonly title: string;
  readonly cell: (item: T) => string | undefined;
  readonly color?: (item: T) => Color | undefined;
}

/** Items as rows of cells, after the titles of the columns. */
export function rowsOf<T>(items: readonly T[], columns: readonly Column<T>[]): string[][] {
  const cells = items.map((item) => columns.map((column) => cellText(column.cell(item) ?? "", column)));
  return [columns.map(({ title }) => title), ...cells];
}

/** Items as a table, or as the requested JSON. `none`: the text if there are none. */
export async function itemsText<T>(
  given: Given,
  items: readonly T[],
  columns: readonly Column<T>[],
  none: string,
): Promise<string> {
  if (given.flags.has("jsonl")) return items.map((item) => `${jsonText(item)}\n`).join("");
  if (given.flags.has("json")) return `${jsonText(items, 1)}\n`;
  if (items.length === 0) return `${oneLine(none)}\n`;
  const paint = painter(given);
  return table(rowsOf(items, columns), columns, (text, row, column) => {
    const item = items[row - 1];
    return paint(text, item && columns[column]?.color?.(item));
  });
}

/** Prints items in the format of {@link itemsText}. */
export async function printItems<T>(
  given: Given,
  items: readonly T[],
  columns: readonly Column<T>[],
  none: string,
): Promise<void> {
  print(await itemsText(given, items, columns, none));
}

/** Prints one item as a list of its fields, or as the requested JSON. Leaves out empty fields. */
export function printItem<T>(given: Given, item: T, fields: readonly Column<T>[]): void {
  if (given.flags.has("jsonl")) print(`${jsonText(item)}\n`);
  else if (given.flags.has("json")) print(`${jsonText(item, 1)}\n`);
  else {
    const rows = fields.map((field) => ({ ...field, text: fieldText(field, item) })).filter(({ text }) => text !== "");
    const width = Math.max(...rows.map(({ title }) => title.length));
    const paint = painter(given);
    const line = ({ title, text, color }: (typeof rows)[number]): string =>
      `${title.padEnd(width)}  ${paint(inLines(text, width + 2), color?.(item))}\n`;
    print(rows.map(line).join(""));
  }
}

function fieldText<T>({ cell, cut }: Column<T>, item: T): string {
  const text = cell(item) ?? "";
  return cut === "name" ? visible(text) : text;
}

/** A text of several lines, each indented. Control characters are shown as escapes. */
function inLines(text: string, indent: number): string {
  return visible(text, LINES).replaceAll("\n", `\n${" ".repeat(indent)}`);
}

/**
 * Says on stderr that a list was cut, so that a reader does not take it for the whole list. JSON gets no such
 * note. `next`: how to see the next page.
 */
export function tellMore(given: Given, isMore: boolean, limit: number, next = ""): void {
  if (!isMore || wantsJson(given)) return;
  const shown = limit === 1 ? "This is the newest one" : `These are the newest ${limit}`;
  printError(`${shown}, and there are more: --limit N shows N of them${next}`);
}
