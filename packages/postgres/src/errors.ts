import { ChannelError, type ChannelErrorCode, isChannelError } from "@ojm/core/backend";

/** The function `apply` found a layout that this version does not know. The message is its number. */
export const NEWER_LAYOUT = "OJM01";

/** `assert_fence` found the lock at another version. */
export const LATE = "OJM02";

/** `join_commit` found a transaction with an isolation that it cannot join. */
export const NOT_JOINABLE = "OJM03";

/** Another transaction held a key for too long. */
export const LOCKED = "55P03";

/** By SQLSTATE: what the server did, for a sentence that begins with its name. */
const MEANINGS: readonly (readonly [state: RegExp, code: ChannelErrorCode, what: string])[] = [
  [/^28/, "DENIED", "refuses the user or password. Check them, and pg_hba.conf of the server"],
  [/^42501/, "DENIED", 'denies this user what the backend needs: see "Rights of the user" on the page of PostgreSQL'],
  [/^3D000/, "INVALID_CONFIG", "does not have this database. Create it, or correct the url"],
  [
    /^(3F000|42P01|42P07|42883|42703)/,
    "CORRUPT",
    "does not have the tables and functions of this backend. Restore a backup, or use another schema",
  ],
  [/^OJM03/, "NOT_SUPPORTED", "cannot join this transaction"],
  // A standby refuses tables without a log by 0A000.
  [/^(25006|0A000)/, "READ_ONLY", "takes no writes: it is a standby, maybe after a failover, or set to read-only"],
  [/^53100/, "FULL", "has no room on its disk. Make room on it"],
  [/^53200/, "UNAVAILABLE", "has no shared memory left for locks. Raise max_locks_per_transaction"],
  [
    /^53300/,
    "UNAVAILABLE",
    "has no connection left. Raise max_connections or the limit of the role or database, or use a pooler",
  ],
  [/^57014/, "TIMEOUT", "cancelled the statement: statement_timeout of the user or the server is too short"],
  [
    /^55P03/,
    "TIMEOUT",
    "has another transaction that holds one of the keys or tables for too long, maybe of a hung process. " +
      "Try again. To end such transactions, set idle_in_transaction_session_timeout",
  ],
  [/^40/, "UNAVAILABLE", "broke off the transaction because of another one. Try again"],
  [/^XX00[12]/, "CORRUPT", "reports damaged data. Restore a backup"],
  [/^57P03/, "UNAVAILABLE", "is starting, shutting down or recovering from a crash"],
  [/^(08|53|57)/, "UNAVAILABLE", "ended the connection or the statement"],
];

const RETRYABLE = /^(FULL|READ_ONLY|TIMEOUT|UNAVAILABLE)$/;

const TLS = /^(CERT_|ERR_TLS|ERR_SSL|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH|ERR_OSSL)/;

/** Errors that may come after the commit, although the server rolled back the statement that had them. */
const MAY_BE_LATE = /^(57014|54000|53200)/;

type DriverError = Error & { readonly code?: unknown; readonly severity?: string };

/** The SQLSTATE of an error of the server, or the code of the system; "" if it has none. */
export function codeOf(error: unknown): string {
  const code = (error as DriverError | undefined)?.code;
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
  const code = codeOf(error);
  const isProven = !sent || (isRefusal(error) && !MAY_BE_LATE.test(code));
  const outcome = isProven ? "not-applied" : "unknown";
  if (isChannelError(error)) {
    const { message, retryable, cause } = error;
    return new ChannelError(error.code, message, { retryable, cause, outcome });
  }
  const cause = error as DriverError;
  const fault = (kind: ChannelErrorCode, what: string): ChannelError =>
    new ChannelError(kind, `${where} ${what}`, { retryable: RETRYABLE.test(kind), outcome, cause });
  const { message = "" } = cause;
  if (cause.severity !== undefined) {
    const [, kind, what] = MEANINGS.find(([state]) => state.test(code)) ?? ([/^/, "FAILED", "failed"] as const);
    // Without TLS, the name of the reason is all that the server says.
    const advice = /no encryption|SSL off/.test(message) ? '. It may require TLS: see "sslmode" in the url' : "";
    return fault(kind, `${what} (${message}, ${code})${advice}`);
  }
  if (TLS.test(code) || message.includes("not support SSL"))
    return fault(
      "INVALID_CONFIG",
      `cannot be spoken to by TLS: ${message}. Check "sslmode" (or PGSSLMODE) and "sslrootcert" in the url`,
    );
  if (/^SASL|password must be/.test(message))
    return fault(
      "DENIED",
      "requires a password, and none is given. Write it into the url, PGPASSWORD or ~/.pgpass, which must be " +
        "readable to its owner alone: chmod 600",
    );
  const advice = sent
    ? "The connection broke before the answer came: whether it was done is not known"
    : "Is it running, and is the url right?";
  return fault("UNAVAILABLE", `is not reachable (${code || message}). ${advice}`);
}
