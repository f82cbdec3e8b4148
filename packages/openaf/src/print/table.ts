import { isArray } from "../data/compare.js";
import { type Fields, isMap } from "../data/types.js";
import { wordWrap } from "../format/text.js";
import { color, colourOf, isColoured } from "./color.js";
import { padded, shown, visibleLength } from "./width.js";

const THEMES = {
  utf: { row: "─", column: "│", cross: "┼" },
  plain: { row: "-", column: "|", cross: "+" },
} as const;

type Theme = keyof typeof THEMES;

/** A cell: its lines, and the value that gives it its colour. */
interface Cell {
  readonly lines: readonly string[];
  readonly value: unknown;
}

/**
 * A list of maps as a table. The fields of the first are the columns. With a width, long texts are wrapped;
 * with `count`, the number of rows is shown below.
 */
export function printTable(
  list: unknown,
  width?: unknown,
  count?: unknown,
  useAnsi?: unknown,
  theme?: unknown,
): string {
  if (!isArray(list) || list.length === 0) return "";
  const rows = list.map((row) => (isMap(row) ? row : { " ": row }));
  const columns = Object.keys(rows[0] ?? {});
  const { row, column, cross } = THEMES[theme === "utf" || theme === "plain" ? theme : standardTheme()];
  const widths = columnWidths(rows, columns, typeof width === "number" && width > 0 ? width : undefined);
  const colours = useAnsi ?? isColoured();
  const line = (parts: readonly string[], join: string): string => `${parts.join(join)}\n`;
  const head = columns
    .map((name, i) => padded(name, widths[i] ?? 0))
    .map((text) => (colours ? color("BOLD", text) : text));
  const rule = widths.map((columns) => row.repeat(columns));
  const body = rows.flatMap((one) =>
    linesOf(one, columns, widths, Boolean(colours)).map((parts) => line(parts, column)),
  );
  const summary = count ? `[#${rows.length} ${rows.length === 1 ? "row" : "rows"}]` : "";
  return line(head, column) + line(rule, cross) + body.join("") + summary;
}

export function standardTheme(): Theme {
  return isColoured() ? "utf" : "plain";
}

/** The text of a cell: one line. A text that is a time is shown as a time. */
function cellText(value: unknown): string {
  const isTime = typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
  return shown(isTime ? new Date(value) : value).replaceAll("\n", " ");
}

function columnWidths(rows: readonly Fields[], columns: readonly string[], limit: number | undefined): number[] {
  const widths = columns.map((name) =>
    rows.reduce((widest, row) => Math.max(widest, visibleLength(cellText(row[name]))), visibleLength(name)),
  );
  if (limit === undefined) return widths;
  // Take from the widest column until the table fits.
  const lines = columns.length - 1;
  for (let rest = widths.reduce((sum, own) => sum + own, lines) - limit; rest > 0; rest--) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= MIN_WIDTH) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** A column is never narrower, so that words stay readable. */
const MIN_WIDTH = 8;

function linesOf(row: Fields, columns: readonly string[], widths: readonly number[], colours: boolean): string[][] {
  const cells = columns.map((name, i): Cell => {
    const text = cellText(row[name]);
    const width = widths[i] ?? 0;
    const lines = visibleLength(text) > width ? wordWrap(text, width).split("\n") : [text];
    return { lines, value: row[name] };
  });
  const height = Math.max(...cells.map(({ lines }) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    cells.map(({ lines, value }, i) => {
      const text = padded(lines[line] ?? "", widths[i] ?? 0);
      return colours ? color(colourOf(value), text) : text;
    }),
  );
}
