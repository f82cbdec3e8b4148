import type { Stats } from "node:fs";

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
