import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { ChannelError, type ChannelErrorCode, isChannelError } from "@ojm/core/backend";

/** The code of an error of SQLite (`SQLITE_BUSY`) or of the system (`ENOSPC`); "" if it has none. */
export function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/**
 * Whether another process held a lock, so that the same call may succeed a moment later. SQLite reports
 * `PROTOCOL` if it lost the race for a reader's mark many times in a row.
 */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code.startsWith("SQLITE_BUSY") || code === "SQLITE_PROTOCOL";
}

/**
 * Whether the disk has no room left, or no inodes. SQLite reports that as an I/O error if the shared-memory
 * file cannot grow, and as "cannot open" if a file cannot be created.
 */
function diskIsFull(file: string): boolean {
  try {
    const disk = statfsSync(dirname(file));
    return disk.bavail * disk.bsize < 65_536 || (disk.files > 0 && disk.ffree === 0);
  } catch {
    return false;
  }
}

type Meaning = readonly [code: ChannelErrorCode, text: string, retryable?: boolean];

const FULL: Meaning = ["FULL", "the disk is full. Make room on it; nothing that was acknowledged is lost", true];

/** By a prefix of SQLite's code: an extended code begins with the basic one. */
const MEANINGS: readonly (readonly [prefix: string, meaning: Meaning])[] = [
  ["SQLITE_BUSY", ["TIMEOUT", "another process held the database locked for too long. Try again", true]],
  ["SQLITE_PROTOCOL", ["TIMEOUT", "too many processes open it at once. Try again", true]],
  ["SQLITE_FULL", FULL],
  [
    "SQLITE_CORRUPT",
    ["CORRUPT", "the database is damaged. Restore a backup, or save what is left by sqlite3's .recover"],
  ],
  ["SQLITE_NOTADB", ["CORRUPT", "this is not a SQLite database, or its first page is damaged"]],
  // All statements are fixed and tested: if SQLite does not accept one, the tables have been changed.
  ["SQLITE_ERROR", ["CORRUPT", "its tables are not as @ojm/sqlite made them. Restore a backup"]],
  ["SQLITE_TOOBIG", ["TOO_LARGE", "a key or value is larger than SQLite allows"]],
  ["SQLITE_READONLY", ["READ_ONLY", "the file or its folder cannot be written"]],
  ["SQLITE_PERM", ["DENIED", "the system denies access"]],
  ["SQLITE_AUTH", ["DENIED", "the system denies access"]],
  ["SQLITE_CANTOPEN", ["UNAVAILABLE", "the file, or a file beside it, cannot be opened", true]],
  ["SQLITE_IOERR", ["UNAVAILABLE", "the disk reports an input/output error", true]],
  ["SQLITE_NOMEM", ["UNAVAILABLE", "there is not enough memory", true]],
];

function meaningOf(code: string, file: string): Meaning {
  const mayBeFull = code.startsWith("SQLITE_IOERR") || code.startsWith("SQLITE_CANTOPEN");
  if (mayBeFull && diskIsFull(file)) return FULL;
  const known = MEANINGS.find(([prefix]) => code.startsWith(prefix));
  return known?.[1] ?? ["FAILED", `SQLite failed${code === "" ? "" : ` (${code})`}`];
}

/** The {@link ChannelError} of a driver's error, with that as `cause`; a {@link ChannelError} as it is. */
export function toChannelError(
  error: unknown,
  file: string,
  outcome: "not-applied" | "unknown" = "not-applied",
): ChannelError {
  if (isChannelError(error)) return error;
  const [code, text, retryable = false] = meaningOf(codeOf(error), file);
  return new ChannelError(code, `SQLite file ${file}: ${text}`, { cause: error, retryable, outcome });
}

/** The answer to calls after `close()`. */
export function closedError(file: string): ChannelError {
  return new ChannelError("CLOSED", `SQLite file ${file}: closed`);
}

/** The answer to a call whose signal was aborted before the store was touched. */
export function abortedError(signal: AbortSignal): ChannelError {
  return new ChannelError("ABORTED", "the call was aborted before it reached the store", { cause: signal.reason });
}
