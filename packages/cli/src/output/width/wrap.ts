import { widthOf } from "./width.js";

let characters: Intl.Segmenter | undefined;

/** A text in lines of at most so many columns, broken between any two characters, as a terminal does. */
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
