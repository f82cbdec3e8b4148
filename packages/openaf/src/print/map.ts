import { isArray } from "../data/compare.js";
import { type Fields, isMap } from "../data/types.js";
import { COLOUR_OF, color, colourOf, isColoured } from "./color.js";
import { standardTheme } from "./table.js";
import { padded, shown, visibleLength } from "./width.js";

interface Cell {
  readonly text: string;
  readonly colour: string;
  readonly right?: boolean;
}

/** The characters of a box, from the left to the right. */
const BOXES = {
  utf: { top: "╭─┬╮", rule: "├─┼┤", bottom: "╰─┴╯", line: "│" },
  plain: { top: "+-++", rule: "+-++", bottom: "+-++", line: "|" },
} as const;

/** A map or a list as a box of keys and values. */
export function printMap(value: unknown, _width?: unknown, theme?: unknown, useAnsi?: unknown): string {
  if (!isMap(value) && !isArray(value)) throw "Not a map or array.";
  const rows: (Cell[] | "rule")[] = [];
  add(value, 0, rows);
  const depth = Math.max(1, ...rows.map((row) => (row === "rule" ? 0 : row.length)));
  const widths = Array.from({ length: depth }, (_, i) =>
    Math.max(0, ...rows.map((row) => (row === "rule" ? 0 : visibleLength(row[i]?.text ?? "")))),
  );
  const box = BOXES[theme === "utf" || theme === "plain" ? theme : standardTheme()];
  const colours = Boolean(useAnsi ?? isColoured());
  const rule = ([left = "", dash = "", cross = "", right = ""]: string): string =>
    left + widths.map((width) => dash.repeat(width + 2)).join(cross) + right;
  const lines = rows.map((row) => {
    if (row === "rule") return rule(box.rule);
    const cells = widths.map((width, i) => ` ${cellText(row[i], width, colours)} `);
    return box.line + cells.join(box.line) + box.line;
  });
  return [rule(box.top), ...lines, rule(box.bottom)].join("\n");
}

function cellText(cell: Cell | undefined, width: number, colours: boolean): string {
  const { text = "", colour = "", right = false } = cell ?? {};
  const filled = right ? " ".repeat(width - visibleLength(text)) + text : padded(text, width);
  return colours ? color(colour, filled) : filled;
}

/** Adds the rows of a map or list, with a rule before each map or list within it. */
function add(value: Fields | unknown[], depth: number, rows: (Cell[] | "rule")[]): void {
  const blank = (): Cell[] => Array.from({ length: depth }, () => ({ text: "", colour: "" }));
  const keys = Object.keys(value).filter((key) => typeof (value as Fields)[key] !== "function");
  if (keys.length === 0) {
    const sign = { text: isArray(value) ? "[]" : "{}", colour: COLOUR_OF.key };
    rows.push([...blank(), sign, { text: "-", colour: "" }]);
  }
  for (const key of keys) {
    const item = (value as Fields)[key];
    const name: Cell = { text: isArray(value) ? `[${key}]` : `${key}:`, colour: COLOUR_OF.key, right: true };
    if (!isMap(item) && !isArray(item)) {
      rows.push([...blank(), name, { text: shown(item), colour: colourOf(item) }]);
      continue;
    }
    if (rows.length > 0 && rows.at(-1) !== "rule") rows.push("rule");
    const inner: (Cell[] | "rule")[] = [];
    add(item, depth + 1, inner);
    // The key is in the first row of its value.
    const [first, ...more] = inner;
    const head = first === undefined || first === "rule" ? blank() : [...first];
    head[depth] = name;
    rows.push(head, ...more);
    if (key !== keys.at(-1)) rows.push("rule");
  }
}
