import { stripVTControlCharacters } from "node:util";

/** Characters that take no column: combining marks, joiners and the like. */
const NONE = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** Characters that take two columns: East Asian wide ones, and pictures. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;

/** How many columns of a terminal a text takes. */
export function visibleLength(text: unknown): number {
  let columns = 0;
  for (const char of stripVTControlCharacters(String(text))) {
    if (!NONE.test(char)) columns += WIDE.test(char) ? 2 : 1;
  }
  return columns;
}

/** The text with blanks behind it, so that it takes this many columns. */
export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - visibleLength(text)));
}
