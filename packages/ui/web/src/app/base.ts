/** The base URL of the pages, with a slash at its end: `<base>`, from the server. */
export const base: URL = new URL("./", document.baseURI);

/** The full URL of a path below the base. */
export const addressOf = (path: string): string => new URL(path, base).href;
