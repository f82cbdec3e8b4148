import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/**
 * Node's arguments that run a program of this repository, named by its source.
 *
 * It runs from the sources, which takes most of a second of processor time for each process. `npm test` has
 * built everything when the tests begin, and sets `OJM_BUILT`: then what was built runs.
 */
export function programArgs(source: URL): string[] {
  const path = fileURLToPath(source);
  const built = process.env["OJM_BUILT"] === undefined ? undefined : builtOf(path.slice(ROOT.length));
  if (built !== undefined) return [built];
  return ["--import", import.meta.resolve("tsx"), "--conditions=@ojm/source", path];
}

/** The built program of a source, if there is one: see scripts/lib/programs.mjs for the child processes. */
function builtOf(source: string): string | undefined {
  const main = /^(packages\/\w+)\/src\/main\.ts$/.exec(source);
  const built =
    main === null ? `node_modules/.ojm/children/${source.replace(/\.ts$/, ".js")}` : `${main[1]}/dist/main.js`;
  return existsSync(ROOT + built) ? ROOT + built : undefined;
}
