import { randomUUID } from "node:crypto";
import { closeSync, linkSync, openSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "./errors.js";

/** For its owner alone: results and errors of jobs are nobody else's business. SQLite's own files take the mode of this one. */
const PRIVATE = 0o600;

/** What a file system without hard links says of one. */
const NO_LINKS: readonly string[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/**
 * Creates an empty file that only its owner can read, if there is none. SQLite would make one that the umask decides about.
 *
 * It is made under another name: whoever opens the database at that moment in another thread of this process would lose its
 * locks when we close the file.
 */
export function createPrivateFile(file: string): void {
  const made = join(dirname(file), `.ojm-${randomUUID()}`);
  closeSync(openSync(made, "wx", PRIVATE));
  try {
    linkSync(made, file);
  } catch (error) {
    const code = codeOf(error);
    if (NO_LINKS.includes(code)) createInPlace(file);
    // Another process was faster: the file is as that one wants it.
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
