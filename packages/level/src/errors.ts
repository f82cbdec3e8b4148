import { ChannelError, type ChannelErrorCode, isChannelError } from "@ojm/core/backend";

/** The errors of LevelDB and the system, and their meaning. The first match counts. */
const MEANINGS: readonly (readonly [words: RegExp, code: ChannelErrorCode, meaning: string])[] = [
  [
    /LEVEL_LOCKED/,
    "IN_USE",
    "is in use by another process (or another thread of this one), and LevelDB lets in only one. " +
      'Channels that several processes of a host share have the type "sqlite"; several hosts share "redis" or "etcd"',
  ],
  [/ENOSPC|EDQUOT|EFBIG|No space left|quota exceeded|File too large/i, "FULL", "cannot be written: the disk is full"],
  [/EROFS|Read-only file system/i, "READ_ONLY", "cannot be written: the file system is read-only"],
  [/EACCES|EPERM|Permission denied|not permitted/i, "DENIED", "may not be read or written by this user"],
  [/EEXIST|ENOTDIR|Not a directory/i, "INVALID_CONFIG", "is not a folder"],
  [/ENOENT: |ENAMETOOLONG/, "INVALID_CONFIG", "cannot be made"],
  [
    /LEVEL_CORRUPTION|Corruption|does not exist \(create_if_missing|CURRENT|MANIFEST|No such file/i,
    "CORRUPT",
    "is damaged. Move it away, or try to save what can be saved with Level.repair()",
  ],
];

/** The codes and messages of an error and its causes, in one text. */
function story(error: unknown): string {
  const parts: string[] = [];
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    parts.push(String((each as NodeJS.ErrnoException).code ?? ""), each.message);
  }
  return parts.join(" ");
}

/** Whether a call or its iterator found the database closed. */
export function isNotOpen(error: unknown): boolean {
  return /LEVEL_(DATABASE|ITERATOR)_NOT_OPEN/.test(story(error));
}

/**
 * The {@link ChannelError} for an error of LevelDB. With `writing` the outcome is unknown, because LevelDB
 * does not report how much of the write has reached the disk.
 */
export function levelError(error: unknown, path: string, writing: boolean = false): ChannelError {
  if (isChannelError(error)) return error;
  const text = story(error);
  const [, code, meaning] = MEANINGS.find(([words]) => words.test(text)) ?? [undefined, "FAILED" as const, "failed"];
  return new ChannelError(code, `the LevelDB folder ${path} ${meaning}`, {
    retryable: code === "IN_USE" || code === "FULL",
    outcome: writing ? "unknown" : "not-applied",
    cause: error,
  });
}
