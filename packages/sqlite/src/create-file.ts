import { randomUUID } from "node:crypto";
import { closeSync, linkSync, openSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "./errors.js";

/** Only the owner may read results and errors of jobs. SQLite's own files get the mode of this one. */
const PRIVATE = 0o600;

/** The errors of a file system without hard links. */
const NO_LINKS: readonly string[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/**
 * Creates an empty file that only its owner can read, if it is missing. SQLite would create it by the umask.
 *
 * The file is created under another name and then linked. Closing a file drops all locks of this process on
 * it, and another thread may have opened the database meanwhile.
 */
export function createPrivateFile(file: string): void {
  const made = join(dirname(file), `.ojm-${randomUUID()}`);
  closeSync(openSync(made, "wx", PRIVATE));
  try {
    linkSync(made, file);
  } catch (error) {
    const code = codeOf(error);
    if (NO_LINKS.includes(code)) createInPlace(file);
    // Another process has created the file first: leave its mode.
    else if (code !== "EEXIST") throw error;
  } finally {
    rmSync(made, { force: true });
  }
}

function createInPlace(file: string): void {
  try {
    closeSync(openSync(file, "wx", PRIVATE));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}
