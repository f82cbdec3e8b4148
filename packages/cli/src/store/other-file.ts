import { closeSync, openSync, readSync } from "node:fs";
import { CommandError } from "../errors.js";

/** The first bytes of each SQLite database. */
const BEGIN = Buffer.from("SQLite format 3\0");

/**
 * Refuses a file that is no SQLite database: another path was meant. `create`: whether an empty file becomes
 * one.
 *
 * @throws CommandError
 */
export function refuseOtherFile(file: string, create: boolean): void {
  const begin = beginOf(file);
  if (begin === undefined) return;
  if (begin.length === 0 && create) return;
  if (begin.length === 0)
    throw new CommandError(`${file} is an empty file, no store: no run has made it one so far. Is it the right path?`);
  if (!begin.equals(BEGIN))
    throw new CommandError(`${file} is no SQLite database, so it is no store. Is it the right path?`);
}

/** The first bytes of a file; `undefined` if it cannot be read, for the driver to tell why. */
function beginOf(file: string): Buffer | undefined {
  let opened: number | undefined;
  try {
    opened = openSync(file, "r");
    const bytes = Buffer.alloc(BEGIN.length);
    return bytes.subarray(0, readSync(opened, bytes));
  } catch {
    return undefined;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}
