const ASCII = /^[\x20-\x7e]*$/;

/** The width of a terminal that does not report its size. */
const USUAL = 80;

/** Loaded when a text needs it: loading it slows down each start. */
let wide: ((text: string) => number) | undefined;

/** Loads what {@link widthOf} needs for these texts; without `texts`, for any text. */
export async function prepareWidths(texts?: readonly string[]): Promise<void> {
  if (wide === undefined && texts?.every((text) => ASCII.test(text)) !== true)
    wide = (await import("string-width")).default;
}

/** How many columns a text takes on a terminal: wide characters take two, combining ones none. */
export function widthOf(text: string): number {
  return wide === undefined || ASCII.test(text) ? text.length : wide(text);
}

/** How many columns a line of stdout may take: infinite if the output is not a terminal. */
export function outputWidth(): number {
  // Some terminals do not report their size: it is 0 then.
  return process.stdout.isTTY ? process.stdout.columns || USUAL : Number.POSITIVE_INFINITY;
}

/** Segments of what a reader sees as one character: an accent belongs to its letter. */
let characters: Intl.Segmenter | undefined;

/** A text in at most this many columns of a terminal, cut with an ellipsis if it needs more. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width < 1) return "";
  characters ??= new Intl.Segmenter();
  let shown = "";
  let used = 1;
  for (const { segment } of characters.segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    shown += segment;
  }
  return `${shown}…`;
}

/** The room that a column of a table needs. */
export interface Room {
  /** Its widest text. */
  readonly natural: number;
  /** The least width that is still readable. */
  readonly least: number;
  /** The column with the lowest rank is always shown; the one with the highest is left out first. */
  readonly rank: number;
  /** Whether it gets only what the others leave, because it is cut anyway. */
  readonly isModest?: boolean;
}

/** The space between two columns. */
export const GAP = 2;

/** The widths of columns that share a line. 0: the column is left out, and those of a higher rank too. */
export function fit(columns: readonly Room[], total: number): number[] {
  const widths = columns.map(() => 0);
  const byRank = [...columns.entries()].sort(([, a], [, b]) => a.rank - b.rank);
  let left = total + GAP;
  for (const [place, [i, { natural, least }]] of byRank.entries()) {
    const width = Math.min(natural, least, place === 0 ? total : Number.POSITIVE_INFINITY);
    if (width + GAP > left) break;
    widths[i] = width;
    left -= width + GAP;
  }
  const byNeed = byRank.toSorted(([, a], [, b]) => Number(a.isModest ?? false) - Number(b.isModest ?? false));
  for (const [i, { natural }] of byNeed) {
    const width = widths[i] ?? 0;
    const more = width === 0 ? 0 : Math.min(natural - width, left);
    widths[i] = width + more;
    left -= more;
  }
  return widths;
}

/** A text in lines of at most this many columns, broken between any two characters, as a terminal does. */
export function wrap(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  characters ??= new Intl.Segmenter();
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const { segment } of characters.segment(text)) {
    const more = widthOf(segment);
    if (used + more > width && line !== "") {
      lines.push(line);
      line = "";
      used = 0;
    }
    line += segment;
    used += more;
  }
  return [...lines, line];
}

/** The words of a text in lines of this width; brackets keep their words together. */
export function fold(text: string, width: number): string[] {
  const lines: string[] = [""];
  for (const word of text.match(/\[[^\]]*\]|\S+/g) ?? []) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}
