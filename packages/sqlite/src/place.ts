import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statfsSync,
  statSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { ChannelError, type ChannelErrorCode, isChannelError } from "@ojm/core/backend";
import { createPrivateFile } from "./create-file.js";
import { codeOf } from "./errors.js";

/** Magic numbers of `statfs(2)` whose locks and shared memory do not reach from host to host: NFS, SMB, CIFS, SMB2, AFS. */
const NETWORK_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x5346414f]);

const CODES: Readonly<Record<string, ChannelErrorCode>> = {
  EACCES: "DENIED",
  EPERM: "DENIED",
  EROFS: "READ_ONLY",
  ENOSPC: "FULL",
  EDQUOT: "FULL",
  ENOTDIR: "INVALID_CONFIG",
  EEXIST: "INVALID_CONFIG",
  ENAMETOOLONG: "INVALID_CONFIG",
  ELOOP: "INVALID_CONFIG",
};

/** Runs `step`; if the system refuses, throws what that means: "cannot create the folder /x: the file system is read-only". */
function attempt<T>(step: () => T, doing: string, codes: Readonly<Record<string, ChannelErrorCode>> = CODES): T {
  try {
    return step();
  } catch (cause) {
    if (isChannelError(cause)) throw cause;
    const code = codes[codeOf(cause)] ?? "UNAVAILABLE";
    const said = cause instanceof Error ? cause.message.split(",")[0] : String(cause);
    const retryable = code === "FULL" || code === "UNAVAILABLE";
    throw new ChannelError(code, `SQLite file: cannot ${doing} (${said})`, { cause, retryable });
  }
}

function refuse(code: ChannelErrorCode, message: string): never {
  throw new ChannelError(code, message);
}

function statIfThere(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function checkFile(file: string): void {
  const stats = attempt(() => statIfThere(file), `look at ${file}`);
  if (stats === undefined) return;
  if (stats.isDirectory()) refuse("INVALID_CONFIG", `SQLite file ${file} is a folder: give the path of a file in it`);
  if (!stats.isFile()) refuse("INVALID_CONFIG", `SQLite file ${file} is not a regular file`);
  attempt(() => accessSync(file, constants.R_OK), `read ${file}`);
  // SQLite would open it all the same, read-only, and fail at the first write.
  attempt(() => accessSync(file, constants.W_OK), `write ${file}`, { ...CODES, EACCES: "READ_ONLY" });
}

/** Not `mkdirSync` with `recursive`: below a folder that says ENOENT to any mkdir, such as /proc, that never returns. */
function createFolder(folder: string): void {
  const there = statIfThere(folder);
  if (there?.isDirectory()) return;
  if (there !== undefined) refuse("INVALID_CONFIG", `SQLite file: cannot create the folder ${folder}: it is a file`);
  createFolder(dirname(folder));
  try {
    mkdirSync(folder, 0o700);
  } catch (error) {
    // Another process may have been faster.
    if (statIfThere(folder)?.isDirectory() !== true) throw error;
  }
}

function checkFolder(folder: string): void {
  attempt(() => createFolder(folder), `create the folder ${folder}`);
  const { type } = attempt(() => statfsSync(folder), `look at ${folder}`);
  if (NETWORK_FILE_SYSTEMS.has(type)) {
    refuse(
      "INVALID_CONFIG",
      `${folder} is on a network file system, where SQLite cannot keep two hosts apart: use a local disk, or a backend with a server`,
    );
  }
  attempt(() => accessSync(folder, constants.W_OK | constants.X_OK), `write into the folder ${folder}`);
}

/**
 * Makes sure that a database can be at `file`: creates the folder and the file, both for their owner alone, and refuses what
 * SQLite would report late or not at all. What is there keeps its mode. Returns the one true path, by which two spellings of the same file are recognised.
 *
 * The database itself is not opened here: closing a file drops all locks that this process holds on it, SQLite's own too.
 *
 * @throws ChannelError `INVALID_CONFIG`, `READ_ONLY`, `DENIED`, `FULL`, `UNAVAILABLE`
 */
export function preparePlace(file: string): string {
  const path = resolve(file);
  checkFolder(dirname(path));
  checkFile(path);
  if (attempt(() => statIfThere(path), `look at ${path}`) === undefined) {
    const link = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    // To where a file is still to come.
    if (link)
      return preparePlace(
        resolve(
          dirname(path),
          attempt(() => readlinkSync(path), `resolve ${path}`),
        ),
      );
    attempt(() => createPrivateFile(path), `create ${path}`);
  }
  return attempt(() => realpathSync(path), `resolve ${path}`);
}
