import { type Functions, isNumber, pairs } from "../data/types.js";
import { color } from "../print/color.js";
import { padded, terminalWidth, visibleLength } from "../print/width.js";
import { fromDate } from "./dates.js";
import { leftPad, rightPad } from "./numbers.js";

/** Breaks the lines of a text at blanks, so that no line is wider. */
export function wordWrap(text: unknown, width: number, newLine: string = "\n", tab: number = 4): string {
  const expanded = String(text).replaceAll("\t", " ".repeat(tab));
  return expanded
    .split(newLine)
    .map((line) => wrapLine(line, width).join(newLine))
    .join(newLine);
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (visibleLength(rest) > width && width > 0) {
    const head = headOf(rest, width);
    const blank = head.lastIndexOf(" ");
    const cut = blank > 0 ? blank : head.length;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  return rest === "" && lines.length > 0 ? lines : [...lines, rest];
}

/** The longest beginning of a text that fits the width, with at least one character. */
function headOf(text: string, width: number): string {
  let head = "";
  for (const char of text) {
    if (head !== "" && visibleLength(head + char) > width) break;
    head += char;
  }
  return head;
}

/** Whether a text matches a pattern with `*` and `?`, ignoring case unless `useCase`. */
function wildcardRE(pattern: string, useCase?: unknown): RegExp {
  const source = pattern
    .replace(/([.+^${}()|[\]\\])/g, "\\$1")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, useCase ? "" : "i");
}

/** How many characters must change to make one text of another. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (char === b[j] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The text of a list that is nearest to a text, if it is near enough. */
function closest(text: string, list: readonly string[], threshold: number = 3): string | false {
  const near = [...list].sort((a, b) => distance(text, a) - distance(text, b))[0];
  return near !== undefined && distance(text, near) <= threshold ? near : false;
}

export const TEXT: Functions = {
  leftPad,
  rightPad,
  wordWrap,
  wildcardRE,
  wildcardTest: (text: string, pattern: string, useCase?: unknown): boolean => wildcardRE(pattern, useCase).test(text),
  distance,
  closest,
  unicode: (code: number): string => String.fromCodePoint(code),
  separatorsToUnix: (path: string): string => path.replaceAll("\\", "/"),
  separatorsToWindows: (path: string): string => path.replaceAll("/", "\\"),
  tabExpand: (text: string, size: number = 8): string => text.replaceAll("\t", " ".repeat(size)),
  printable: (bytes: Uint8Array, other: string = "."): string =>
    [...bytes].map((byte) => (byte >= 32 ? String.fromCharCode(byte) : other)).join(""),
  toHex: (bytes: Uint8Array, separator: string = " "): string =>
    [...bytes].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(separator),
  bool: (value: unknown, light?: unknown): string =>
    value ? color("GREEN", light ? "✓" : "✔") : color("RED", light ? "✕" : "✖"),
};

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#x27;",
  "`": "&#x60;",
  "=": "&#x3D;",
};

/** Escapes a text for HTML. */
export function escapeHTML(text: unknown): string {
  return String(text ?? "").replace(/[&<>"'`=]/g, (char) => ENTITIES[char] ?? char);
}

/** The width of a terminal that does not report its own. */
const WIDTH = 80;

type Extra = Readonly<Partial<Record<"header" | "headerAlign" | "footer" | "footerAlign", string>>>;

/** A text with a line on its left, or in a frame. */
export function withSideLine(
  text: unknown,
  width: number = terminalWidth() ?? WIDTH,
  lineStyle: string = "",
  textStyle: string = "",
  theme: SideLineTheme = { lmiddle: "│" },
  { header, headerAlign, footer, footerAlign }: Extra = {},
): string {
  const { ltop, rtop, tmiddle = " ", lmiddle = "", rmiddle, lbottom, rbottom, bmiddle = " ", tab = "   " } = theme;
  const line = (part: string): string => color(lineStyle, part);
  const bar = (left: string | undefined, middle: string, right: string | undefined, said?: string, align?: string) => {
    if (left === undefined && right === undefined) return [];
    if (right === undefined) return [line(left ?? "")];
    return [line(left ?? "") + filled(middle, width - 2, line, said, align) + line(right)];
  };
  const content = wordWrap(String(text ?? "").replaceAll("\t", tab), width - 3).split("\n");
  const body = content.map((one) => {
    const shown = rmiddle === undefined ? ` ${one}` : padded(` ${one}`, width - 2);
    return line(lmiddle) + color(textStyle, shown) + (rmiddle === undefined ? "" : line(rmiddle));
  });
  return [
    ...bar(ltop, tmiddle, rtop, header, headerAlign),
    ...body,
    ...bar(lbottom, bmiddle, rbottom, footer, footerAlign),
  ].join("\n");
}

function filled(
  char: string,
  width: number,
  line: (part: string) => string,
  text: string = "",
  align?: string,
): string {
  const rest = width - visibleLength(text);
  if (text === "" || rest < 2) return line(char.repeat(Math.max(0, width)));
  const before = align === "right" ? rest - 2 : align === "center" ? Math.floor(rest / 2) : 2;
  return line(char.repeat(before)) + text + line(char.repeat(rest - before));
}

const SYMBOLS = pairs(`
  check_mark ✔ light_check_mark ✓ cross_mark ✖ light_cross_mark ✕ pause ⏸ stop ⏹ play ▷ offonstandby ⏻ offon ⏼
  form_checkmark ☑ form_crossmark ☒ arrowleft ← arrowright → arrowup ↑ arrowdown ↓ asterism ⁂
  fullrightfinger ☛ rightfinger ☞ fullstar ★ star ☆ square □ space ␣ cloud ☁ thumbsup 👍 thumbsdown 👎 cross ┼
  crossHLeft ┤ crossHRight ├ crossVBottom ┬ crossVTop ┴ lineHRight ╶ lineHLeft ╴ lineVTop ╵ lineVBottom ╷
  lineH ─ lineTRight └ lineBRight ┌ lineBLeft ┐ lineTLeft ┘ curveTRight ╰ curveBRight ╭ curveBLeft ╮
  curveTLeft ╯ lineV │ dlineV ║ dlineH ═ turnBRight ╔ turnTRight ╚ turnTLeft ╝ turnBLeft ╗ dcrossHRight ╠
  dcrossHLeft ╣ dcrossVBottom ╦ dcrossVTop ╩ dcross ╬ lBToT ╱ lTToB ╲ lCross ╳ patternLight ░ patternMedium ▒
  patternDark ▓ blockH ━
`);

/** The places of a frame, from the top to the bottom, and from the left to the right. */
const PLACES = ["ltop", "tmiddle", "rtop", "lmiddle", "rmiddle", "lbottom", "bmiddle", "rbottom"] as const;

/** The characters at the places of a frame. */
type SideLineTheme = Readonly<Partial<Record<"tab" | (typeof PLACES)[number], string>>>;

/** A frame by its characters. A `.` is a place without one. */
function frame(drawing: string): SideLineTheme {
  const drawn = PLACES.map((place, i) => [place, drawing[i]]).filter(([, char]) => char !== ".");
  return Object.fromEntries(drawn);
}

const THEMES: Readonly<Record<string, SideLineTheme>> = {
  closedOneSpace: frame("        "),
  simpleOneSpace: frame("... ...."),
  simpleLine: frame("...│...."),
  doubleOneSpace: frame("...  ..."),
  doubleLine: frame("...││..."),
  simpleLineWithTips: frame("╷..│.╵.."),
  simpleLineWithBottomTip: frame("...│.╵.."),
  simpleLineWithTopTip: frame("╷..│...."),
  simpleLineWithCTips: frame("╭..│.╰.."),
  simpleLineWithCBottomTip: frame("...│.╰.."),
  simpleLineWithCTopTip: frame("╭..│...."),
  simpleLineWithRTips: frame("┌..│.└.."),
  simpleLineWithRTopTip: frame("┌..│...."),
  simpleLineWithRBottomTip: frame("...│.└.."),
  doubleLineWithRTips: frame("╔.╗║║╚.╝"),
  doubleLineBothSides: frame("...║║..."),
  closedRect: frame("┌─┐││└─┘"),
  closedDoubleRect: frame("╔═╗║║╚═╝"),
  closedCurvedRect: frame("╭─╮││╰─╯"),
  openTopRect: frame("...││└─┘"),
  openBottomRect: frame("┌─┐││..."),
  openRect: frame("┌.┐││└.┘"),
  openTopCurvedRect: frame("...││╰─╯"),
  openBottomCurvedRect: frame("╭─╮││..."),
  openCurvedRect: frame("╭.╮││╰.╯"),
  openCurvedSpace: frame("╭.╮  ╰.╯"),
};

export const SIDE_LINES: Functions = {
  syms: (): Readonly<Record<string, string>> => SYMBOLS,
  withSideLineThemes: (): Readonly<Record<string, SideLineTheme>> => THEMES,
};

/** A place in a format of Java's Formatter: `%2$-10.3f`, `%tY`. */
const PLACE = /%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?(t[a-zA-Z]|[a-zA-Z%])/g;

/** The formats of {@link fromDate} for the letters of dates. */
const DATES = pairs(
  `Y yyyy y yy m MM d dd e d H HH I hh M mm S ss
  L SSS p a Z z z Z B MMMM b MMM A EEEE a EEE F yyyy-MM-dd T HH:mm:ss R HH:mm D MM/dd/yy`,
);

/** Fills the places of a format with values: `printf("%-10s %,.2f", "a", 1234.5)`. */
export function printf(format: string, ...values: unknown[]): string {
  let next = 0;
  return String(format).replace(PLACE, (_, index, flags: string, width, precision, kind: string) => {
    if (kind === "%") return "%";
    if (kind === "n") return "\n";
    const value = values[index === undefined ? next++ : Number(index) - 1];
    const text = written(value, kind, flags, precision === undefined ? undefined : Number(precision));
    const columns = width === undefined ? 0 : Number(width);
    if (flags.includes("-")) return text.padEnd(columns);
    if (!flags.includes("0")) return text.padStart(columns);
    const [, sign = "", rest = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
    return sign + rest.padStart(columns - sign.length, "0");
  });
}

function written(value: unknown, kind: string, flags: string, precision: number | undefined): string {
  if (kind.startsWith("t")) {
    const letters = DATES[kind.slice(1)];
    if (letters === undefined) throw unknownKind(kind);
    return fromDate(value as Date, letters);
  }
  const lower = kind.toLowerCase();
  const text = KINDS[lower]?.(value, flags, precision);
  if (text === undefined) throw unknownKind(lower);
  return kind === lower ? text : text.toUpperCase();
}

function unknownKind(kind: string): Error {
  return new Error(`"%${kind}" is not part of a format that is known here`);
}

const KINDS: Readonly<Record<string, (value: unknown, flags: string, precision: number | undefined) => string>> = {
  s: (value, _, precision) => String(value).slice(0, precision),
  b: (value) => String(value !== undefined && value !== null && value !== false),
  c: (value) => (typeof value === "number" ? String.fromCodePoint(value) : String(value).slice(0, 1)),
  d: (value, flags) => signed(value, flags, (number) => String(Math.trunc(number))),
  f: (value, flags, precision = 6) => signed(value, flags, (number) => number.toFixed(precision)),
  e: (value, flags, precision = 6) =>
    signed(value, flags, (number) => number.toExponential(precision).replace(/e([+-])(\d)$/, "e$10$2")),
  g: (value, flags, precision = 6) => signed(value, flags, (number) => number.toPrecision(precision)),
  x: (value, flags) => (flags.includes("#") ? "0x" : "") + Math.trunc(numberOf(value)).toString(16),
  o: (value, flags) => (flags.includes("#") ? "0" : "") + Math.trunc(numberOf(value)).toString(8),
};

function signed(value: unknown, flags: string, write: (number: number) => string): string {
  const number = numberOf(value);
  const digits = write(Math.abs(number));
  const grouped = flags.includes(",") ? digits.replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ",") : digits;
  if (number >= 0) return (flags.includes("+") ? "+" : flags.includes(" ") ? " " : "") + grouped;
  return flags.includes("(") ? `(${grouped})` : `-${grouped}`;
}

function numberOf(value: unknown): number {
  if (!isNumber(value)) throw new Error(`a number is expected in a format, not ${String(value)}`);
  return Number(value);
}
