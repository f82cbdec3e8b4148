import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { nearest } from "@ojm/core/internal";
import { JobFileError } from "./problem.js";
import { SourceFile } from "./source-file.js";

/**
 * Reads a job file, or another text file that is called `kind` in messages.
 *
 * @throws JobFileError when it is missing, a folder, not readable or not text.
 */
export function readSource(name: string, kind = "job file"): SourceFile {
  const path = resolve(name);
  const text = decode(name, readBytes(name, path, kind));
  return new SourceFile(name, path, text);
}

function fail(message: string): never {
  throw new JobFileError([{ severity: "error", message }]);
}

/** The most bytes of a job file. A device, or a log given by mistake, would fill the memory. */
const MOST_BYTES = 4 * 1024 * 1024;

function readBytes(name: string, path: string, kind: string): Uint8Array {
  const bytes = readAtMost(name, path, kind);
  if (bytes.length > MOST_BYTES) return fail(`${name} is larger than 4 MB: that is no ${kind}.`);
  return bytes;
}

function readAtMost(name: string, path: string, kind: string): Uint8Array {
  try {
    const file = openSync(path, "r");
    try {
      return readFrom(file, MOST_BYTES + 1);
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
    const near = nearest(basename(path), readdirSync(dirname(path)));
    return near === undefined ? "" : ` Did you mean ${near}?`;
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
