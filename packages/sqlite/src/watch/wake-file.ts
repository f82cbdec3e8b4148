import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lutimesSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { codeOf } from "../errors.js";

/** The file whose touch wakes a watcher, beside the database, where any process can reach it. */
export function wakeFile(file: string, watcher: number): string {
  return `${file}-wake-${watcher}`;
}

/** Creates a wake file. Every user who may write the database may write it. */
export function createWakeFile(file: string, watcher: number): void {
  const { mode, uid, gid } = statSync(file);
  let fd: number;
  try {
    // Create exclusively: in a shared folder, another user may have put a link to another file here.
    fd = openSync(wakeFile(file, watcher), "wx", 0o600);
  } catch (error) {
    // This process created it before: the number of a watcher is never used again.
    if (codeOf(error) === "EEXIST") return;
    throw error;
  }
  try {
    fchmodSync(fd, mode & 0o666);
    // As root, give the file to the owner of the database, as SQLite does with its own files.
    if (process.geteuid?.() === 0) fchownSync(fd, uid, gid);
  } finally {
    closeSync(fd);
  }
}

/** Wakes a watcher. A watcher without a file is starting or leaving, and checks by itself. */
export function touchWakeFile(file: string, watcher: number): void {
  const path = wakeFile(file, watcher);
  const now = Date.now() / 1_000;
  try {
    // Do not follow a link here: it could lead to any file of this user.
    lutimesSync(path, now, now);
  } catch (error) {
    // Only the owner can set times. Other users write a byte, which takes three system calls instead of one.
    if (codeOf(error) === "EPERM") writeWakeFile(path);
  }
}

function writeWakeFile(path: string): void {
  try {
    const fd = openSync(path, constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      writeSync(fd, "\n", 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Ignore the error: the commit is done, and the watcher looks from time to time anyway.
  }
}

/** Removes a wake file, if it exists. */
export function removeWakeFile(file: string, watcher: number): void {
  try {
    rmSync(wakeFile(file, watcher), { force: true });
  } catch {
    // The file is another user's, and only the owner may delete. An empty file does no harm.
  }
}
