import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/*
 * A process that reads the packages as TypeScript spends a second of processor time on that. `npm test` has
 * built everything when the tests begin, and sets `OJM_BUILT`: processes then use the builds.
 */

/** Node's arguments that run a program of this repository, named by its source. */
export function programArgs(source: URL): string[] {
  const path = fileURLToPath(source);
  const built = isBuilt() ? builtOf(path.slice(ROOT.length)) : undefined;
  return built === undefined ? [...tsArgs(), path] : [built];
}

/** Node's arguments for JavaScript that imports packages of this repository by their names. */
export function jsArgs(): string[] {
  return isBuilt() ? [] : tsArgs();
}

/** Node's arguments for TypeScript that imports packages of this repository by their names. */
export function tsArgs(): string[] {
  return ["--import", import.meta.resolve("tsx"), ...conditions()];
}

/** With these, a thread or process finds the sources of the packages. */
export function conditions(): string[] {
  return isBuilt() ? [] : ["--conditions=@ojm/source"];
}

function isBuilt(): boolean {
  return process.env["OJM_BUILT"] !== undefined;
}

/** The built program of a source, if there is one: see scripts/lib/programs.mjs for the child processes. */
function builtOf(source: string): string | undefined {
  const [, pack = "", file] = /^(?:(packages\/\w+)\/src\/)?(.*)\.ts$/.exec(source) ?? [];
  const child = `node_modules/.ojm/children/${source.replace(/\.ts$/, ".js")}`;
  const all = file === "main" ? [`${pack}/dist/main.js`] : [child, `${pack}/${child}`];
  return all.map((path) => ROOT + path).find((path) => existsSync(path));
}
