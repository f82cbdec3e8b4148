import { stripVTControlCharacters } from "node:util";

/** Characters that take no column: combining marks, joiners and the like. */
const NONE = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** Characters that take two columns: East Asian wide ones, and pictures. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;
/** Characters that turn a sequence into a picture: a joiner, a skin colour, a flag and the like. */
const PICTURE = /\u200d|\ufe0f|\u20e3|[\u{1f3fb}-\u{1f3ff}]|[\u{1f1e6}-\u{1f1ff}]{2}|[\u{e0020}-\u{e007f}]/u;

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The number of columns of a terminal that a text takes. */
export function visibleLength(text: unknown): number {
  const plain = stripVTControlCharacters(String(text));
  // Fast path: most texts have no such sequences.
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  let columns = 0;
  for (const { segment } of segmenter.segment(plain)) columns += widthOf(segment);
  return columns;
}

function widthOf(sequence: string): number {
  if (PICTURE.test(sequence)) return 2;
  return [...sequence].reduce((sum, char) => sum + (NONE.test(char) ? 0 : WIDE.test(char) ? 2 : 1), 0);
}

export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - visibleLength(text)));
}

/** How a value other than a map or list is shown in tables and trees: a date as `2026-01-31 10:00:00.000`. */
export function shown(value: unknown): string {
  if (value instanceof Date && !Number.isNaN(value.getTime()))
    return value.toISOString().replace("Z", "").replace("T", " ");
  return String(value);
}

/** The width of the terminal by the environment. `undefined` if it does not have it. */
export function terminalWidth(): number | undefined {
  const columns = Number(process.env["COLUMNS"]);
  return Number.isInteger(columns) && columns > 0 ? columns : undefined;
}
