import { isArray } from "../data/compare.js";
import { type Fields, isMap } from "../data/types.js";
import { wordWrap } from "../format/text.js";
import { COLOUR_OF, color, colourOf, isColoured } from "./color.js";
import { shown, terminalWidth, visibleLength } from "./width.js";

export interface TreeOptions {
  /** Only characters of ASCII. */
  readonly noansi?: boolean;
  /** Unicode lines, which `noansi` would omit, but without colours. */
  readonly mono?: boolean;
  readonly curved?: boolean;
  readonly color?: boolean;
  readonly withValues?: boolean;
  readonly fullKeySize?: boolean;
}

type Lines = Readonly<Record<"line" | "single" | "first" | "middle" | "last", string>>;

function linesFor({ noansi, mono, curved = true }: TreeOptions): Lines {
  if (noansi && !mono) return { line: "|", single: "- ", first: "/ ", middle: "| ", last: "\\ " };
  const [first, last] = curved ? ["╭ ", "╰ "] : ["┌ ", "└ "];
  return { line: "│", single: "─ ", first, middle: "├ ", last };
}

/** A map or a list as a tree. Long texts are wrapped if a width is known. */
export function printTree(value: unknown, width?: unknown, options: TreeOptions = {}): string {
  if (!isMap(value) && !isArray(value)) throw "Not a map or array";
  const limit = typeof width === "number" ? width : terminalWidth();
  const all = { noansi: !isColoured(), withValues: true, fullKeySize: true, ...options };
  return branches(value, { ...all, lines: linesFor(all), limit }).join("\n");
}

interface Drawing extends TreeOptions {
  readonly lines: Lines;
  readonly limit: number | undefined;
}

function branches(value: Fields | unknown[], drawing: Drawing, indent: string = ""): string[] {
  const keys = Object.keys(value);
  const named = keys.map((key) => (isArray(value) ? `[${key}]` : key));
  const longest = drawing.fullKeySize ? Math.max(0, ...named.map((key) => visibleLength(key))) : 0;
  return keys.flatMap((key, i) => {
    const item = (value as Fields)[key];
    const { lines } = drawing;
    const isLast = i === keys.length - 1;
    const mark = i === 0 ? (keys.length === 1 ? lines.single : lines.first) : isLast ? lines.last : lines.middle;
    // The first branch of an inner tree follows the key of the outer one.
    const prefix = (i === 0 ? "" : indent) + mark;
    const name = named[i] ?? "";
    const size = Math.max(longest, visibleLength(name));
    const below = `${indent}${isLast ? " " : lines.line} ${" ".repeat(size)} `;
    const filled = paint(drawing, COLOUR_OF.key, name) + " ".repeat(size - visibleLength(name));
    if (isMap(item) || isArray(item)) {
      const inner = branches(item as Fields, drawing, below);
      return inner.length === 0 ? [prefix + filled] : [`${prefix}${filled} ${inner[0]}`, ...inner.slice(1)];
    }
    return drawing.withValues ? leaf(prefix + filled, item, below, drawing) : [prefix + filled];
  });
}

function leaf(before: string, value: unknown, below: string, drawing: Drawing): string[] {
  const room = drawing.limit === undefined ? Number.POSITIVE_INFINITY : drawing.limit - visibleLength(before) - 3;
  const wrapped = room < Number.POSITIVE_INFINITY && room > MIN_WIDTH ? wordWrap(shown(value), room) : shown(value);
  const [first = "", ...more] = wrapped.split("\n").map((line) => paint(drawing, colourOf(value), line));
  return [`${before}: ${first} `, ...more.map((line) => `${below} ${line}`)];
}

/** A text is not wrapped into a narrower column. */
const MIN_WIDTH = 5;

function paint({ noansi, mono, color: wanted }: TreeOptions, style: string, text: string): string {
  return noansi || mono || wanted === false ? text : color(style, text);
}
