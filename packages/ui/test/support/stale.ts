import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The first file below `sources` that is newer than the file `built`; `undefined` if there is none. */
export function newerThan(built: string, sources: string): string | undefined {
  const { mtimeMs } = statSync(built);
  return readdirSync(sources, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .find((path) => statSync(path).mtimeMs > mtimeMs);
}
