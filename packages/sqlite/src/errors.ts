import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { ChannelError, type ChannelErrorCode, type ChannelErrorDetails, isChannelError } from "@ojm/core/backend";

/** The code of an error of SQLite (`SQLITE_BUSY`) or of the system (`ENOSPC`); "" if it has none. */
export function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/**
 * Whether another process was in the way, so that the same call works a moment later. `PROTOCOL` is what SQLite says when it lost
 * the race for a reader's mark many times in a row.
 */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code.startsWith("SQLITE_BUSY") || code === "SQLITE_PROTOCOL";
}

/**
 * SQLite calls a full disk an I/O error where the shared-memory file could not grow, and "cannot open" where a file could not
 * begin.
 */
function diskIsFull(file: string): boolean {
  try {
    const disk = statfsSync(dirname(file));
    return disk.bavail * disk.bsize < 65_536;
  } catch {
    return false;
  }
}

interface Meaning {
  readonly code: ChannelErrorCode;
  readonly says: string;
  readonly retryable?: boolean;
}

const FULL: Meaning = {
  code: "FULL",
  says: "the disk is full. Make room on it; nothing that was acknowledged is lost",
  retryable: true,
};

/** By the longest prefix of SQLite's own code. */
const MEANINGS: readonly (readonly [prefix: string, meaning: Meaning])[] = [
  [
    "SQLITE_BUSY",
    { code: "TIMEOUT", says: "another process held the database locked for too long. Try again", retryable: true },
  ],
  ["SQLITE_PROTOCOL", { code: "TIMEOUT", says: "too many processes open it at once. Try again", retryable: true }],
  ["SQLITE_FULL", FULL],
  [
    "SQLITE_CORRUPT",
    { code: "CORRUPT", says: "the database is damaged. Restore a backup, or save what is left by sqlite3's .recover" },
  ],
  ["SQLITE_NOTADB", { code: "CORRUPT", says: "this is no SQLite database, or its first page is damaged" }],
  // Every statement is fixed and was tested: if SQLite does not understand one, it is the tables that are others.
  ["SQLITE_ERROR", { code: "CORRUPT", says: "its tables are not as @ojm/sqlite made them. Restore a backup" }],
  ["SQLITE_TOOBIG", { code: "TOO_LARGE", says: "a key or value is larger than SQLite allows" }],
  ["SQLITE_READONLY", { code: "READ_ONLY", says: "the file or its folder cannot be written" }],
  ["SQLITE_PERM", { code: "DENIED", says: "the system denies access" }],
  ["SQLITE_AUTH", { code: "DENIED", says: "the system denies access" }],
  [
    "SQLITE_CANTOPEN",
    { code: "UNAVAILABLE", says: "the file, or a file beside it, cannot be opened", retryable: true },
  ],
  ["SQLITE_IOERR", { code: "UNAVAILABLE", says: "the disk reports an input/output error", retryable: true }],
  ["SQLITE_NOMEM", { code: "UNAVAILABLE", says: "there is not enough memory", retryable: true }],
];

function meaningOf(code: string, file: string): Meaning {
  const mayBeFull = code.startsWith("SQLITE_IOERR") || code.startsWith("SQLITE_CANTOPEN");
  if (mayBeFull && diskIsFull(file)) return FULL;
  const known = MEANINGS.find(([prefix]) => code.startsWith(prefix));
  return known?.[1] ?? { code: "FAILED", says: `SQLite failed${code === "" ? "" : ` (${code})`}` };
}

/**
 * What an error of the driver means for a channel: what happened, to which file, and what to do. SQLite's own words are left in
 * `cause`. A {@link ChannelError} is passed on as it is.
 */
export function toChannelError(error: unknown, file: string, outcome?: ChannelErrorDetails["outcome"]): ChannelError {
  if (isChannelError(error)) return error;
  const { code, says, retryable } = meaningOf(codeOf(error), file);
  return new ChannelError(code, `SQLite file ${file}: ${says}`, {
    cause: error,
    ...(retryable === undefined ? {} : { retryable }),
    ...(outcome === undefined ? {} : { outcome }),
  });
}

/** The answer to calls after `close()`. */
export function closedError(file: string): ChannelError {
  return new ChannelError("CLOSED", `SQLite file ${file}: closed`);
}

/** The answer to a call whose signal was aborted before the store was touched. */
export function abortedError(signal: AbortSignal): ChannelError {
  return new ChannelError("ABORTED", "the call was aborted before it reached the store", { cause: signal.reason });
}
