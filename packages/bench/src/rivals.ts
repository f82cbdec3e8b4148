import { versionOf } from "./versions.js";

/*
 * The libraries of others that we are measured against are in `rivals`, a package with a lock file of its own:
 * `npm run bench` installs it when they are measured, and nothing else needs it. So nothing here imports it
 * in a way that the compiler follows.
 */

/** A file of `rivals`. */
export function rivalFile(name: string): URL {
  return new URL(`../rivals/${name}`, import.meta.url);
}

/** Loads a file of `rivals`. */
export function loadRivals(name: string): Promise<Readonly<Record<string, unknown>>> {
  return import(rivalFile(name).href);
}

/** The names and versions of libraries of `rivals`. */
export function rivalVersions(...libraries: readonly string[]): string[] {
  return libraries.map((library) => versionOf(library, rivalFile("package.json")));
}
