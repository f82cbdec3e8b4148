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

/** For its owner alone; and for the folder's group, if the folder says by its set-group-id bit that its files are the group's. */
const PRIVATE = 0o600;
const FOR_GROUP = 0o640;
const SET_GROUP_ID = 0o2000;

const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
/** With this, a pipe that nobody reads is an error. Without it, opening one waits for ever. */
const NONBLOCK = constants.O_NONBLOCK ?? 0;

/**
 * Opens a log file to add to it. What is there keeps its mode. A symbolic link is not followed: in a folder that others may
 * write, it would lead our lines into a file of ours that somebody else has chosen.
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
 * Compresses a file, behind what another process has compressed there before: one compressed text behind another is a
 * compressed text. The new file has the mode of the old one.
 */
export async function compress(from: string, to: string): Promise<void> {
  // Under another name until it is whole: a process that ends meanwhile leaves the file itself. Nobody can lay a link
  // there beforehand.
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
  // Loaded only now: few starts find a log of yesterday.
  const [{ pipeline }, { createGzip }] = await Promise.all([import("node:stream/promises"), import("node:zlib")]);
  const read = createReadStream("", { fd: open(from, constants.O_RDONLY) });
  const write = createWriteStream(half, { flags: "a" });
  await (compressed ? pipeline(read, createGzip(), write) : pipeline(read, write));
}

/** Not by Node's `recursive`: where the system makes no folders, as in /proc, that one never returns. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
