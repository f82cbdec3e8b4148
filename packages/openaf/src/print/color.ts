import { isatty } from "node:tty";
import { pairs } from "../data/types.js";

const RESET = "\u001b[m";
const COLORS = ["BLACK", "RED", "GREEN", "YELLOW", "BLUE", "MAGENTA", "CYAN", "WHITE"];
const STYLES = pairs(
  `RESET 0 BOLD 1 INTENSITY_BOLD 1 FAINT 2 INTENSITY_FAINT 2 ITALIC 3 UNDERLINE 4 BLINK_SLOW 5 BLINK_FAST 6
  NEGATIVE_ON 7 CONCEAL_ON 8 STRIKETHROUGH 9 UNDERLINE_DOUBLE 21 UNDERLINE_OFF 24 BLINK_OFF 25 NEGATIVE_OFF 27
  CONCEAL_OFF 28`,
);

let forced = false;

/** Whether output is coloured: on terminals, and not with `NO_COLOR`. */
export function isColoured(): boolean {
  return forced || (!process.env["NO_COLOR"] && isatty(1));
}

/** Colours the output of a function. */
export function inColour<T>(write: () => T): T {
  const before = forced;
  forced = true;
  try {
    return write();
  } finally {
    forced = before;
  }
}

/** A text in colours and styles, such as `RED,BOLD`, `BG_BLUE`, `FG(202)` or `RGB(1,2,3)`. */
export function color(style: string, text: string): string {
  const codes = isColoured() ? codesOf(style) : "";
  return codes === "" ? text : codes + text + RESET;
}

function codesOf(style: string): string {
  const parts = style.toUpperCase().match(/\w+\([^)]*\)|[^,\s]+/g) ?? [];
  return parts.map(codeOf).join("");
}

function codeOf(part: string): string {
  const [, name = "", numbers] = /^(\w+)\((.*)\)$/.exec(part) ?? [undefined, part];
  if (numbers !== undefined) {
    const place = name.startsWith("BG") ? 48 : 38;
    const kind = name.endsWith("RGB") ? 2 : 5;
    return `\u001b[${place};${kind};${numbers.replaceAll(/\s/g, "").replaceAll(",", ";")}m`;
  }
  const index = COLORS.indexOf(name.replace(/^[BF]G_/, ""));
  const code = index >= 0 ? (name.startsWith("BG_") ? 40 : 30) + index : STYLES[name];
  return code === undefined ? "" : `\u001b[${code}m`;
}

/** A text in colours, if the output supports them or with `force`. */
export function ansiColor(style: unknown, text: unknown, force?: unknown): string {
  const write = (): string => color(String(style ?? ""), String(text ?? ""));
  return force ? inColour(write) : write();
}

export const COLOUR_OF = {
  key: "BOLD",
  number: "GREEN",
  string: "CYAN",
  boolean: "RED",
  date: "MAGENTA",
  none: "YELLOW",
} as const;

export function colourOf(value: unknown): string {
  if (value === null || value === undefined) return COLOUR_OF.none;
  if (value instanceof Date) return COLOUR_OF.date;
  const type = typeof value;
  return type === "number" || type === "string" || type === "boolean" ? COLOUR_OF[type] : "";
}
