import { existsSync, realpathSync } from "node:fs";
import { relative } from "node:path";
import { nearest } from "@ojm/core/internal";
import { JobFileError, type Position, type Problems } from "../text/problem.js";
import { readSource } from "../text/read-source.js";
import { misplaced, misplacedNote, missingFile, saidPath } from "../text/said-path.js";
import type { SourceFile } from "../text/source-file.js";
import { type BuiltinFile, builtinFile, builtinFiles, builtinSource } from "./builtin/builtin.js";

/** What an `include` leads to: a file to read, or a built-in one. */
export type Included = BuiltinFile | { readonly source: SourceFile };

/**
 * Finds an included file: beside the including file, then among the built-in files. A file of the user wins
 * over a built-in one of the same name.
 */
export function findInclude(name: string, at: Position, problems: Problems): Included | undefined {
  const path = saidPath(name, at);
  if (existsSync(path)) return readIncluded(shortest(path), at, problems);
  const source = builtinSource(name);
  const builtin = source === undefined ? builtinFile(name) : { source };
  if (builtin !== undefined) {
    const here = misplaced(name, path);
    if (here !== undefined) problems.warn(misplacedNote(here, path), at);
    return builtin;
  }
  problems.error(`${missingFile(name, at)}${hint(name)}`, at);
  return undefined;
}

/**
 * Names a file, whatever path leads to it. A link to its own folder would make ever new paths.
 */
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

/** The path from the working directory, if the file is inside it. */
function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}
