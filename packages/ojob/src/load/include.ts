import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { nearest } from "@ojm/core/backend";
import type { Position, Problems } from "../problem.js";
import { readSource, type SourceFile } from "../source.js";
import { builtinFiles, builtinJobs } from "./builtin.js";
import type { JobDefinition } from "./jobfile.js";

/** What an `include` leads to: a file to read, or the jobs of a built-in one. */
export type Included = { readonly source: SourceFile } | { readonly jobs: readonly JobDefinition[] };

/**
 * Finds an included file: beside the file that includes it, then in the current folder, then among those that come with ojm.
 * A file of the user's own goes before a built-in one of the same name.
 */
export function findInclude(name: string, at: Position, problems: Problems): Included | undefined {
  const found = [join(dirname(at.source.path), name), name]
    .map((path) => resolve(path))
    .find((path) => existsSync(path));
  if (found !== undefined) return { source: readSource(shortest(found)) };
  const jobs = builtinJobs(name);
  if (jobs !== undefined) return { jobs };
  const near = nearest(name, builtinFiles());
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  problems.error(`there is no file ${name} beside ${at.source.name} or in the current folder.${hint}`, at);
  return undefined;
}

/** The path from the current folder, unless that climbs out of it. */
function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}
