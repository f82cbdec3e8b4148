import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { didYouMean, JobFileError, type Position, SourceFile } from "./problem.js";

/** Reads a text file, which messages call `kind`. Throws a JobFileError if that is impossible. */
export function readSource(name: string, kind = "job file"): SourceFile {
  const path = resolve(name);
  const bytes = readAtMost(name, path, kind);
  if (bytes.length > MAX_BYTES) return fail(`${name} is larger than 4 MB: that is not a ${kind}.`);
  return new SourceFile(name, path, decode(name, bytes));
}

function fail(message: string): never {
  throw new JobFileError([{ severity: "error", message }]);
}

/** The most bytes of a job file. A device, or a log given by mistake, would fill the memory. */
const MAX_BYTES = 4 * 1024 * 1024;

function readAtMost(name: string, path: string, kind: string): Uint8Array {
  try {
    const file = openSync(path, "r");
    try {
      return readFrom(file, MAX_BYTES + 1);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return fail(`there is no file ${name}.${similarFile(path)}`);
    if (code === "EISDIR") return fail(`${name} is a folder. Give the ${kind} inside it.`);
    if (code === "EACCES" || code === "EPERM") return fail(`${name} may not be read by this user.`);
    return fail(`${name} cannot be read: ${message}`);
  }
}

function readFrom(file: number, most: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < most) {
    const part = new Uint8Array(Math.min(64 * 1024, most - length));
    const count = readSync(file, part);
    if (count === 0) break;
    parts.push(part.subarray(0, count));
    length += count;
  }
  return Buffer.concat(parts);
}

function similarFile(path: string): string {
  try {
    return didYouMean(basename(path), readdirSync(dirname(path)), "");
  } catch {
    return "";
  }
}

function decode(name: string, bytes: Uint8Array): string {
  if (bytes.includes(0)) return fail(`${name} is not a text file: it holds binary data.`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return fail(`${name} is not a text file in UTF-8.`);
  }
}

/**
 * The absolute path that a job file means. A relative path begins at the folder of the file that contains it,
 * as in compose files. If it began at the working directory, the same file started from two folders would use
 * two stores, and run twice at once.
 */
export function saidPath(path: string, { source }: Pick<Position, "source">): string {
  return resolve(dirname(source.path), path);
}

/** The file that a path names in the working directory alone, which releases up to 0.1 used. */
export function misplaced(path: string, meant: string): string | undefined {
  const here = resolve(path);
  return here !== meant && !existsSync(meant) && existsSync(here) ? here : undefined;
}

export function misplacedNote(here: string, meant: string): string {
  return `There is ${here}, but the path means ${meant}: a relative path begins at the folder of the file that contains it. Move ${here} there, or give its absolute path.`;
}

export function missingFile(path: string, at: Position): string {
  const meant = saidPath(path, at);
  const here = misplaced(path, meant);
  const missing = `there is no file ${path} beside ${at.source.name}: ${meant} is missing.`;
  if (here === undefined) return missing;
  return `${missing} There is ${here}, but a relative path begins at the folder of the file that contains it.`;
}

/** The path of the local copy of a job file from the network, `urls/HOST/PATH`: ojm fetches no code. */
export function copyOf(url: string): string | undefined {
  if (!/^https?:/.test(url) || !URL.canParse(url)) return undefined;
  const { host, pathname } = new URL(url);
  return `./urls/${host.replace(":", "_")}${pathname}`;
}
