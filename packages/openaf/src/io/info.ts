import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, join, normalize, resolve } from "node:path";
import { thread } from "../thread.js";

export interface FileInfo {
  readonly isDirectory: boolean;
  readonly isFile: boolean;
  readonly filename: string;
  readonly filepath: string;
  readonly canonicalPath: string;
  readonly lastModified: number;
  readonly createTime?: number;
  readonly lastAccess?: number;
  readonly size: number;
  readonly permissions: string;
  readonly [more: string]: unknown;
}

/** The real path of a file, whether it exists or not. */
export function canonicalPath(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    const parent = resolve(whole, "..");
    return parent === whole ? whole : join(canonicalPath(parent), basename(whole));
  }
}

/** The facts about a file or folder, including whether it exists. With `posix`, its owner and mode too. */
export function fileInfo(path: string, posix?: unknown): FileInfo {
  const followed = attempt(() => statSync(path));
  const own = attempt(() => lstatSync(path));
  return {
    isDirectory: followed?.isDirectory() ?? false,
    isFile: followed?.isFile() ?? false,
    filename: basename(path),
    filepath: normalize(path).replace(/(?<=.)\/$/, ""),
    canonicalPath: canonicalPath(path),
    lastModified: Math.trunc(followed?.mtimeMs ?? 0),
    ...(own && { createTime: Math.trunc(own.birthtimeMs), lastAccess: Math.trunc(own.atimeMs) }),
    size: followed?.size ?? 0,
    permissions: permissionsOf(path),
    ...(posix && own ? posixOf(own) : {}),
  };
}

/** The status of a path. `undefined` if it does not exist, or if this process may not see it. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** The rights of this process to a file, in the form of OpenAF. */
function permissionsOf(path: string): string {
  const may = (mode: number): boolean =>
    attempt(() => {
      accessSync(path, mode);
      return true;
    }) ?? false;
  return [may(constants.X_OK) && "x", may(constants.R_OK) && "r", may(constants.W_OK) && "w"].filter(Boolean).join("");
}

function posixOf({ mode, uid, gid }: Stats): Record<string, unknown> {
  const bits = mode & 0o777;
  const text = [..."rwxrwxrwx"].map((letter, i) => (bits & (0o400 >> i) ? letter : "-")).join("");
  return {
    uid,
    gid,
    user: nameOf(uid, "/etc/passwd"),
    group: nameOf(gid, "/etc/group"),
    posixPermissions: text,
    mode: bits,
  };
}

function nameOf(id: number, file: string): string {
  if (!existsSync(file)) return String(id);
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((one) => one.split(":")[2] === String(id));
  return line?.split(":")[0] ?? String(id);
}

/** The contents of a folder: `{ files: […] }`. `{}` if the folder is missing or cannot be read. */
export function listFiles(path: string, posix?: unknown): { readonly files?: FileInfo[] } {
  const names = attempt(() => readdirSync(path));
  return names === undefined ? {} : { files: names.map((name) => fileInfo(join(path, name), posix)) };
}

/** The names in a folder; with `short` without the path. */
export function listFilenames(path: string, short?: unknown): string[] {
  return readdirSync(path).map((name) => (short ? name : resolve(path, name)));
}

/** The contents of a folder and of the folders within it, with the folder of each as `path`. */
export function listFilesRecursive(path: unknown, posix?: unknown, onError?: (error: unknown) => unknown): FileInfo[] {
  if (path === undefined) return [];
  const all: FileInfo[] = [];
  const open = [String(path)];
  const visited = new Set<string>();
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    // A link to a parent folder would lead to endless recursion.
    const real = canonicalPath(folder);
    if (visited.has(real)) continue;
    visited.add(real);
    try {
      for (const file of listFiles(folder, posix).files ?? []) {
        all.push({ ...file, path: folder });
        if (file.isDirectory) open.push(file.filepath);
      }
    } catch (error) {
      if (onError === undefined) thread.printErr(String(error));
      else onError(error);
    }
  }
  return all;
}
