const ASCII = /^[\x20-\x7e]*$/;

/** The columns of a terminal that does not tell its size. */
const USUAL = 80;

/** Loaded when a text needs it: it is felt at each start. */
let wide: ((text: string) => number) | undefined;

/** Loads what {@link widthOf} needs for these texts; without texts, for whatever text comes. */
export async function prepareWidths(texts?: readonly string[]): Promise<void> {
  if (wide === undefined && texts?.every((text) => ASCII.test(text)) !== true)
    wide = (await import("string-width")).default;
}

/** How many columns a text takes on a terminal: wide characters take two, combining ones none. */
export function widthOf(text: string): number {
  return wide === undefined || ASCII.test(text) ? text.length : wide(text);
}

/** How many columns a line of stdout may take: without end where no terminal would break it. */
export function outputWidth(): number {
  // Some terminals do not tell their size: it is 0 then.
  return process.stdout.isTTY ? process.stdout.columns || USUAL : Number.POSITIVE_INFINITY;
}
