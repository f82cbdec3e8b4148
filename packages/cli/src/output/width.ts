const ASCII = /^[\x20-\x7e]*$/;

/** How many columns a text takes on a terminal. Loaded when a text needs it: it is felt at each start. */
let wide: ((text: string) => number) | undefined;

/** Loads what {@link widthOf} needs for these texts. */
export async function prepareWidths(texts: readonly string[]): Promise<void> {
  if (wide === undefined && !texts.every((text) => ASCII.test(text))) wide = (await import("string-width")).default;
}

/** How many columns a text takes on a terminal: wide characters take two, combining ones none. */
export function widthOf(text: string): number {
  return wide === undefined || ASCII.test(text) ? text.length : wide(text);
}
