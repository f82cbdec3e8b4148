import { randomUUID } from "node:crypto";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { encodingOf, fromYAML, toYAML } from "../text/texts.js";
import { thread } from "../thread.js";

export function readFileBytes(path: string): Buffer {
  if (path.includes("::")) throw new Error(`${path}: files within a zip file cannot be read here`);
  return readFileSync(path);
}

export function readFileString(path: string, encoding?: unknown): string {
  return readFileBytes(String(path)).toString(encodingOf(encoding));
}

/** Writes a text to a file, or appends it. Creates missing folders, as in OpenAF. */
export function writeFileString(path: string, text: unknown, encoding?: unknown, append?: unknown): void {
  mkdirSync(dirname(resolve(path)), { recursive: true });
  const bytes = Buffer.from(String(text), encodingOf(encoding));
  if (append) appendFileSync(path, bytes);
  else writeFileSync(path, bytes);
}

export function writeFileBytes(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(resolve(path)), { recursive: true });
  writeFileSync(path, Uint8Array.from(bytes));
}

export function readFileAsArray(path: string, encoding?: unknown): string[] {
  const lines = readFileString(path, encoding).split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

export function writeFileAsArray(path: string, lines: readonly unknown[], encoding?: unknown): void {
  writeFileString(path, lines.map((line) => `${String(line)}\n`).join(""), encoding);
}

/** The value of a JSON file, which may also be a JavaScript literal. For any other file, its text. */
export function readFileJSON(path: string): unknown {
  return thread.jsonParse(readFileString(path), true);
}

export function writeFileJSON(path: string, value: unknown, space: string | number = "  "): void {
  writeFileString(path, thread.stringify(value, undefined, space));
}

/** The value of a YAML file, or the list of the values of its documents. */
export function readFileYAML(path: string): unknown {
  return fromYAML(readFileString(path));
}

export function writeFileYAML(path: string, value: unknown, multiDoc?: unknown): void {
  writeFileString(path, toYAML(value, multiDoc));
}

/** Creates a folder and its parents. Returns whether it was created. */
export function mkdir(path: string): boolean {
  if (existsSync(path)) return false;
  mkdirSync(path, { recursive: true });
  return true;
}

/** Removes a file, or a folder with its contents. Returns whether it existed. */
export function rm(path: string): boolean {
  const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
  rmSync(path, { recursive: true, force: true });
  return isThere;
}

/** Renames a file. Returns whether that was possible. */
export function rename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** Moves a file, and replaces an existing one. */
export function mv(from: string, to: string): boolean {
  try {
    renameSync(from, to);
  } catch (error) {
    // Across file systems, a file can only be copied.
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    cp(from, to);
    rmSync(from, { recursive: true });
  }
  return true;
}

/** Copies a file with its times, and replaces an existing one. */
export function cp(from: string, to: string): void {
  cpSync(from, to, { preserveTimestamps: true, recursive: false });
}

/** Creates a file with a unique name. It is never removed. */
export function createTempFile(prefix: unknown = "", suffix: unknown = "", folder: unknown = tmpdir()): string {
  const path = resolve(String(folder), String(prefix) + randomUUID() + String(suffix));
  writeFileSync(path, "", { mode: 0o600, flag: "wx" });
  return path;
}

/** Creates a folder with a unique name. It is never removed. */
export function createTempDir(prefix: unknown = "", folder: unknown = tmpdir()): string {
  return mkdtempSync(resolve(String(folder), `${String(prefix)}-`));
}
