import { existsSync, realpathSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { nearest } from "@ojm/core/backend";
import { JobFileError, type Position, type Problems } from "../problem.js";
import { readSource, type SourceFile } from "../source.js";
import { type BuiltinFile, builtinFile, builtinFiles, builtinSource } from "./builtin.js";

/** What an `include` leads to: a file to read, or a built-in one. */
export type Included = BuiltinFile | { readonly source: SourceFile };

/**
 * Finds an included file: beside the file that includes it, then in the current folder, then among those that come with ojm.
 * A file of the user's own goes before a built-in one of the same name.
 */
export function findInclude(name: string, at: Position, problems: Problems): Included | undefined {
  const found = [resolve(dirname(at.source.path), name), resolve(name)].find((path) => existsSync(path));
  if (found !== undefined) return readIncluded(shortest(found), at, problems);
  const source = builtinSource(name);
  const builtin = source === undefined ? builtinFile(name) : { source };
  if (builtin !== undefined) return builtin;
  problems.error(`there is no file ${name} beside ${at.source.name} or in the current folder.${hint(name)}`, at);
  return undefined;
}

/** The same for every way that leads to a file: through a link to its own folder there would be ever new ones. */
export function identity(source: SourceFile): string {
  return existsSync(source.path) ? realpathSync(source.path) : source.path;
}

function readIncluded(name: string, at: Position, problems: Problems): Included | undefined {
  try {
    return { source: readSource(name) };
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    for (const { message } of error.problems) problems.error(message, at);
    return undefined;
  }
}

function hint(name: string): string {
  if (/^https?:|^ojob\.io\/|::/.test(name)) return " Only files can be included: fetch it, and include the copy.";
  const near = nearest(name, builtinFiles());
  return near === undefined ? "" : ` Did you mean ${near}?`;
}

/** The path from the current folder, unless that climbs out of it. */
function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}
