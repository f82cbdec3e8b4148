import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";

/**
 * The mode of log files: for their owner alone. The group of the folder gets access too, if the folder has
 * the set-group-id bit.
 */
const PRIVATE = 0o600;
const FOR_GROUP = 0o640;
const SET_GROUP_ID = 0o2000;

const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
/** With this flag, opening a pipe without a reader fails. Without it, the call would wait for ever. */
const NONBLOCK = constants.O_NONBLOCK ?? 0;

/**
 * Opens a log file for appending. An existing file keeps its mode. The call follows no symbolic link: in a
 * folder that others may write, a link could lead our lines into any file of ours.
 */
export function openLogFile(path: string): number {
  const mode = (statSync(dirname(path)).mode & SET_GROUP_ID) === 0 ? PRIVATE : FOR_GROUP;
  return open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, mode);
}

function open(path: string, flags: number, mode: number = PRIVATE): number {
  try {
    return openSync(path, flags | NOFOLLOW | NONBLOCK, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ELOOP") throw error;
    throw new Error(`${path} is a symbolic link, which is not followed: remove it`);
  }
}

/**
 * Compresses a file, and appends the result to what another process has compressed there before: two
 * compressed texts in a row are one compressed text. The new file has the mode of the old one.
 */
export async function compress(from: string, to: string): Promise<void> {
  // The result gets its final name once it is complete, so that a process that dies here leaves the original.
  // No link can wait under the temporary name.
  const half = `${to}.${randomUUID()}.tmp`;
  try {
    create(half, lstatSync(from).mode & 0o777);
    if (existsSync(to)) await add(to, half, false);
    await add(from, half, true);
    renameSync(half, to);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
  rmSync(from, { force: true });
}

function create(path: string, mode: number): void {
  const fd = openSync(path, "wx", PRIVATE);
  try {
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

async function add(from: string, half: string, compressed: boolean): Promise<void> {
  // Load this module late: few starts find a log of an earlier day.
  const [{ pipeline }, { createGzip }] = await Promise.all([import("node:stream/promises"), import("node:zlib")]);
  const read = createReadStream("", { fd: open(from, constants.O_RDONLY) });
  const write = createWriteStream(half, { flags: "a" });
  await (compressed ? pipeline(read, createGzip(), write) : pipeline(read, write));
}

/**
 * Makes a folder and its parents. Node's `recursive` never returns where the system makes no folders, as in
 * /proc.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
