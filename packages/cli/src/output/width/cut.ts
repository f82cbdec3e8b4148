import { widthOf } from "./width.js";

/** Characters as a reader counts them: an accent belongs to its letter. */
let characters: Intl.Segmenter | undefined;

/** A text in so many columns of a terminal, cut with an ellipsis if it needs more. */
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
