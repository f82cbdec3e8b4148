/** How many of the last lines of a log the pages read first: see log-model.ts. */
const LAST_LINES = 400;

/**
 * What the page at a path asks first, below `api/v1/`. Of pages that show their data soon enough there is
 * nothing.
 */
export function firstCalls(path: string): string[] {
  const word = /^\/runs\/([^/]+)$/.exec(path)?.[1];
  if (word === undefined) return [];
  try {
    const run = `runs/${encodeURIComponent(decodeURIComponent(word))}`;
    return [run, `${run}/log?tail=${LAST_LINES}`];
  } catch {
    return [];
  }
}
