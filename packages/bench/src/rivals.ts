import { existsSync } from "node:fs";
import { versionOf } from "./versions.js";

/*
 * The third-party libraries that we are compared with are in `rivals`, a package with a lock file of its own.
 * Only `npm run bench` installs it, so no static import may lead there: the compiler would follow it.
 */

/** A file of `rivals`. */
export function rivalFile(name: string): URL {
  return new URL(`../rivals/${name}`, import.meta.url);
}

/** Loads a file of `rivals`. */
export function loadRivals(name: string): Promise<Readonly<Record<string, unknown>>> {
  return import(rivalFile(name).href);
}

/** The names and versions of libraries of `rivals`: none if that is not installed, as in the tests. */
export function rivalVersions(...libraries: readonly string[]): string[] {
  if (!existsSync(rivalFile("node_modules"))) return [];
  return libraries.map((library) => versionOf(library, rivalFile("package.json")));
}
