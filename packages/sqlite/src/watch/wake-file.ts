import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  openSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { codeOf } from "../errors.js";

/**
 * The file by which a watcher is woken. It lies beside the database, so that whoever can reach the one reaches the other, in a
 * container too.
 */
export function wakeFile(file: string, watcher: number): string {
  return `${file}-wake-${watcher}`;
}

/** Creates a wake file that every user who may write the database may write too. */
export function createWakeFile(file: string, watcher: number): void {
  const { mode, uid, gid } = statSync(file);
  let fd: number;
  try {
    // Exclusively: in a folder that others can write, somebody could have laid a link to another file here.
    fd = openSync(wakeFile(file, watcher), "wx", 0o600);
  } catch (error) {
    // Made by this process before: no two watchers ever have the same number.
    if (codeOf(error) === "EEXIST") return;
    throw error;
  }
  try {
    fchmodSync(fd, mode & 0o666);
    // As SQLite does with its own files: what root creates belongs to the owner of the database.
    if (process.geteuid?.() === 0) fchownSync(fd, uid, gid);
  } finally {
    closeSync(fd);
  }
}

/** Wakes a watcher. One that has no file at the moment is about to come or to leave, and looks by itself. */
export function touchWakeFile(file: string, watcher: number): void {
  const path = wakeFile(file, watcher);
  const now = Date.now() / 1_000;
  try {
    utimesSync(path, now, now);
  } catch (error) {
    // Times can be set by the owner only. The others write, which takes three calls to the system instead of one.
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
    // The commit is done all the same. The watcher looks four times a second without being woken.
  }
}

/** Removes a wake file, if it is there. */
export function removeWakeFile(file: string, watcher: number): void {
  try {
    rmSync(wakeFile(file, watcher), { force: true });
  } catch {
    // That of another user, in a folder where only the owner may delete. An empty file is left, and harms nobody.
  }
}
