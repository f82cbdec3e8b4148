/** The address under which the pages are mounted, with a slash at its end: `<base>`, from the server. */
export const base: URL = new URL("./", document.baseURI);

/** The whole address of a path below the base. */
export const addressOf = (path: string): string => new URL(path, base).href;
