import { color } from "../print/color.js";
import { terminalWidth } from "../print/shown.js";
import { padded, visibleLength } from "../print/width.js";
import type { SideLineTheme } from "./symbols.js";
import { wordWrap } from "./text.js";

/** The width of a terminal that does not say its own. */
const WIDTH = 80;

interface Extra {
  readonly header?: string;
  readonly headerAlign?: string;
  readonly footer?: string;
  readonly footerAlign?: string;
}

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

/** A part of a frame, with a text in it if there is room. */
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
