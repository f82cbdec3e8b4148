import type { Stats } from "node:fs";

const TYPE = 0o170_000;
const LINK = 0o120_000;
const BY_GROUP = 0o020;
const BY_ALL = 0o002;

/**
 * Why this process must not obey what stands in a file; `undefined` if it may. A file decides for this user
 * if
 * it belongs to the user or to root, and nobody else may write to it. Where the system knows no users, every
 * file may.
 */
export function whyUntrusted({ uid, gid, mode }: Pick<Stats, "uid" | "gid" | "mode">): string | undefined {
  const me = process.getuid?.();
  if (me === undefined) return undefined;
  if (uid !== me && uid !== 0) return `it belongs to another user (uid ${uid})`;
  // The mode of a link says nothing. A group of the number of its user has nobody else in it.
  const isWritable = (mode & BY_ALL) !== 0 || ((mode & BY_GROUP) !== 0 && gid !== me);
  return isWritable && (mode & TYPE) !== LINK ? "others may write to it" : undefined;
}
