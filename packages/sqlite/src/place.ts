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

/** The `statfs(2)` magic numbers of NFS, SMB, CIFS, SMB2 and AFS: locks do not work between their hosts. */
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

/** Runs `step`. An error of the system becomes a ChannelError: "cannot create the folder /x: …". */
function attempt<T>(step: () => T, action: string, codes: Readonly<Record<string, ChannelErrorCode>> = CODES): T {
  try {
    return step();
  } catch (cause) {
    if (isChannelError(cause)) throw cause;
    const code = codes[codeOf(cause)] ?? "UNAVAILABLE";
    const said = cause instanceof Error ? cause.message.split(",")[0] : String(cause);
    const retryable = code === "FULL" || code === "UNAVAILABLE";
    throw new ChannelError(code, `SQLite file: cannot ${action} (${said})`, { cause, retryable });
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
  // Check it here: SQLite would open the file read-only, and fail only at the first write.
  attempt(() => accessSync(file, constants.W_OK), `write ${file}`, { ...CODES, EACCES: "READ_ONLY" });
}

/** Not `mkdirSync` with `recursive`: it never returns where every mkdir answers ENOENT, as in /proc. */
function createFolder(folder: string): void {
  const stats = statIfThere(folder);
  if (stats?.isDirectory()) return;
  if (stats !== undefined) refuse("INVALID_CONFIG", `SQLite file: cannot create the folder ${folder}: it is a file`);
  createFolder(dirname(folder));
  try {
    mkdirSync(folder, 0o700);
  } catch (error) {
    // Another process may have created it meanwhile.
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
  const action = `write into the folder ${folder}, where SQLite keeps files beside its database, also to read it`;
  attempt(() => accessSync(folder, constants.W_OK | constants.X_OK), action);
}

/**
 * Makes sure that a database can be at `file`. Creates the folder and the file, for their owner alone;
 * existing ones keep their mode. Rejects problems that SQLite would report late or not at all. Returns the
 * real path, so that two spellings of a file are recognised as one.
 *
 * Do not open and close the database file here: closing it drops all locks that this process holds on it,
 * including those of SQLite.
 *
 * @throws ChannelError `INVALID_CONFIG`, `READ_ONLY`, `DENIED`, `FULL`, `UNAVAILABLE`
 */
export function preparePlace(file: string): string {
  const path = resolve(file);
  checkFolder(dirname(path));
  checkFile(path);
  if (attempt(() => statIfThere(path), `look at ${path}`) === undefined) {
    const link = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    // A link to a file that does not exist yet: prepare its target.
    if (link) {
      const target = attempt(() => readlinkSync(path), `resolve ${path}`);
      return preparePlace(resolve(dirname(path), target));
    }
    attempt(() => createPrivateFile(path), `create ${path}`);
  }
  return attempt(() => realpathSync(path), `resolve ${path}`);
}
