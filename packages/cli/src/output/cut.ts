import stringWidth from "string-width";

/** Characters as a reader counts them: an accent belongs to its letter. */
const characters = new Intl.Segmenter();

/** A text in so many columns of a terminal, cut with an ellipsis if it needs more. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let shown = "";
  let used = 1;
  for (const { segment } of characters.segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    shown += segment;
  }
  return width < 1 ? "" : `${shown}…`;
}
