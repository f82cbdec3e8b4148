import { existsSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";

const TYPE = 0o170_000;
const LINK = 0o120_000;
const BY_GROUP = 0o020;
const BY_ALL = 0o002;

/**
 * Why this process must not trust the contents of a file; `undefined` if it may. A file is trusted if it
 * belongs to this user or to root, and no other user may write to it. On a system without users, every file
 * is trusted.
 */
export function whyUntrusted({ uid, gid, mode }: Pick<Stats, "uid" | "gid" | "mode">): string | undefined {
  const me = process.getuid?.();
  if (me === undefined) return undefined;
  if (uid !== me && uid !== 0) return `it belongs to another user (uid ${uid})`;
  // The mode of a link means nothing. A group with the number of its user has only that member.
  const isWritable = (mode & BY_ALL) !== 0 || ((mode & BY_GROUP) !== 0 && gid !== me);
  return isWritable && (mode & TYPE) !== LINK ? "others may write to it" : undefined;
}

/**
 * Why this process must not run a module that it found by its working directory; `undefined` if it may. In a
 * folder such as /tmp, another user could have put it into `node_modules`.
 *
 * `file`: where the name leads; `folders`: where packages are searched for, the first one first.
 */
export function whyUntrustedModule(name: string, file: string, folders: readonly string[]): string | undefined {
  const [top = ""] = name.split("/");
  const home = folders.find((folder) => existsSync(join(folder, top)));
  const above = home === undefined ? [] : [home, join(home, top)];
  const why = [...above, dirname(file), file]
    .map((path) => whyUntrusted(statSync(path)))
    .find((it) => it !== undefined);
  return why === undefined ? undefined : `${file} is not used: ${why}`;
}
