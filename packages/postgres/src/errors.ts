import { ChannelError, type ChannelErrorCode, isChannelError } from "@ojm/core/backend";

type Meaning = readonly [code: ChannelErrorCode, what: string, retryable?: boolean];

/** The function `apply` found a layout that this version does not know. The message is its number. */
export const NEWER_LAYOUT = "OJM01";

/** `assert_fence` found the lock at another version. */
export const LATE = "OJM02";

/** Another transaction held a key for too long. */
export const LOCKED = "55P03";

const FOREIGN: Meaning = [
  "CORRUPT",
  "does not have the tables and functions of this backend. Restore a backup, or use another schema",
];

/** By SQLSTATE: what the server did, for a sentence that begins with its name. */
const MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [/^28/, ["DENIED", "refuses the user or password. Check them, and pg_hba.conf of the server"]],
  [
    /^42501/,
    ["DENIED", 'does not permit this user what the backend needs: see "Rights of the user" on the page of PostgreSQL'],
  ],
  [/^3D000/, ["INVALID_CONFIG", "does not have this database. Create it, or correct the url"]],
  [/^(3F000|42P01|42P07|42883|42703)/, FOREIGN],
  [/^0A000/, ["NOT_SUPPORTED", "cannot join this transaction"]],
  [/^25006/, ["READ_ONLY", "takes no writes: it is a standby, maybe after a failover, or set to read-only", true]],
  [/^53100/, ["FULL", "has no room on its disk. Make room on it", true]],
  [/^53200/, ["UNAVAILABLE", "has no shared memory left for locks. Raise max_locks_per_transaction", true]],
  [
    /^53300/,
    [
      "UNAVAILABLE",
      "has no connection left. Raise max_connections or the limit of the role or database, or use a pooler",
      true,
    ],
  ],
  [/^57014/, ["TIMEOUT", "cancelled the statement: statement_timeout of the user or the server is too short", true]],
  [
    /^55P03/,
    [
      "TIMEOUT",
      "has another transaction that holds one of the keys or tables for too long, maybe of a hung process. " +
        "Try again. To end such transactions, set idle_in_transaction_session_timeout",
      true,
    ],
  ],
  [/^40/, ["UNAVAILABLE", "broke off the transaction because of another one. Try again", true]],
  [/^XX00[12]/, ["CORRUPT", "reports damaged data. Restore a backup"]],
  [/^57P03/, ["UNAVAILABLE", "is starting, or recovering from a crash", true]],
  [/^(08|53|57)/, ["UNAVAILABLE", "ended the connection or the statement", true]],
];

const TLS = /^(CERT_|ERR_TLS|ERR_SSL|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH|ERR_OSSL)/;

/** Errors that may come after the commit, although the server rolled back the statement that had them. */
const MAY_BE_LATE = /^(57014|54000|53200)/;

interface DriverError extends Error {
  readonly code?: string;
  readonly severity?: string;
}

/** The SQLSTATE of an error of the server, or the code of the system; "" if it has none. */
export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as DriverError;
  return typeof code === "string" ? code : "";
}

/** Whether the server refused a statement and the connection can serve the next one. */
export function isRefusal(error: unknown): boolean {
  return (error as DriverError | undefined)?.severity === "ERROR";
}

/**
 * Converts an error of the driver into the error for the caller of a channel.
 *
 * @param where the server, as the options name it
 * @param sent whether the server may have got a commit
 */
export function explain(error: unknown, where: string, sent: boolean): ChannelError {
  if (isChannelError(error)) {
    const { code, message, retryable, cause } = error;
    return new ChannelError(code, message, { retryable, cause, outcome: sent ? "unknown" : "not-applied" });
  }
  const cause = error as DriverError;
  const code = codeOf(error);
  const proven = !sent || (isRefusal(error) && !MAY_BE_LATE.test(code));
  const outcome = proven ? "not-applied" : "unknown";
  if (cause.severity !== undefined) {
    const [kind, what, retryable = false] = MEANINGS.find(([pattern]) => pattern.test(code))?.[1] ?? [
      "FAILED",
      "failed",
    ];
    // Without TLS, the name of the reason is all that the server says.
    const advice = /no encryption|SSL off/.test(cause.message) ? '. It may require TLS: see "sslmode" in the url' : "";
    const message = `${where} ${what} (${cause.message}, ${code})${advice}`;
    return new ChannelError(kind, message, { retryable, outcome, cause });
  }
  if (TLS.test(code) || /not support SSL/.test(cause.message ?? "")) {
    const message = `${where} cannot be spoken to by TLS: ${cause.message}. Check "sslmode" and "sslrootcert" in the url`;
    return new ChannelError("INVALID_CONFIG", message, { outcome, cause });
  }
  if (/^SASL|password must be/.test(cause.message ?? ""))
    return new ChannelError("DENIED", `${where} requires a password, and the url has none`, { cause });
  const advice = sent
    ? "The connection broke before the answer came: whether it was done is not known"
    : "Is it running, and is the url right?";
  const message = `${where} is not reachable (${code || cause.message}). ${advice}`;
  return new ChannelError("UNAVAILABLE", message, { retryable: true, outcome, cause });
}
