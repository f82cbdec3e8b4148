import { ChannelError, type ChannelErrorCode, type ChannelErrorDetails, isChannelError } from "@ojm/core/backend";

type Meaning = readonly [code: ChannelErrorCode, retryable: boolean, what: string];

const DENIED: Meaning = ["DENIED", false, "refuses the user or password. Check username and password"];
const REDIRECTS: Meaning = ["UNAVAILABLE", true, "is moving the data to another node"];

/** Refusals, by the first word of an error reply. The server did not apply any part of the request. */
const REFUSALS: Readonly<Record<string, Meaning>> = {
  NOAUTH: DENIED,
  WRONGPASS: DENIED,
  NOPERM: [
    "DENIED",
    false,
    'does not permit this user what the backend needs. Extend its ACL: see "Rights of the user" on the page of Redis',
  ],
  OOM: ["FULL", true, "has no memory left. Raise maxmemory or delete something"],
  MISCONF: ["READ_ONLY", true, "refuses writes because it cannot save to its disk. Look into its log"],
  READONLY: ["READ_ONLY", true, "is a replica, maybe after a failover, and takes no writes"],
  NOREPLICAS: [
    "UNAVAILABLE",
    true,
    "has too few replicas to take writes (waitReplicas, or min-replicas-to-write of the server)",
  ],
  MASTERDOWN: ["UNAVAILABLE", true, "is a replica that lost its master"],
  LOADING: ["UNAVAILABLE", true, "is still loading its data"],
  BUSY: ["UNAVAILABLE", true, "is busy with a long script of another client"],
  CLUSTERDOWN: ["UNAVAILABLE", true, "has no working Cluster: some slots are served by no node"],
  TRYAGAIN: REDIRECTS,
  ASK: REDIRECTS,
  MOVED: ["INVALID_CONFIG", false, `is a node of a Cluster. Use the option "cluster"`],
  CROSSSLOT: ["NOT_SUPPORTED", false, "cannot touch several channels at once: they live on several nodes"],
  WRONGTYPE: ["CORRUPT", false, "holds something else under a name of this backend. Use another keyPrefix"],
};

/** Refusals, by a phrase in an error reply, which says more than its first word. */
const PHRASES: readonly (readonly [RegExp, Meaning])[] = [
  [/^MISCONF .*No space left on device/, ["FULL", true, "refuses writes because its disk is full. Make room on it"]],
  [/max number of clients/, ["UNAVAILABLE", true, "has no connection left (maxclients)"]],
  [/^ERR (invalid password|AUTH|Client sent AUTH)/, DENIED],
  [/^All sentinels are unreachable.*Last error: (NOAUTH|WRONGPASS|NOPERM)/, DENIED],
  [/DB index is out of range/, ["INVALID_CONFIG", false, `has no database of that number. Check "db"`]],
  [/non local key/, REDIRECTS],
  [/^Too many Cluster redirections\. Last error: ReplyError/, REDIRECTS],
  [/unknown command|unknown subcommand/i, ["NOT_SUPPORTED", false, "lacks a command that the backend needs"]],
  [/Protocol error: invalid (bulk|multibulk) length/, ["TOO_LARGE", false, "takes no value of this size"]],
];

const TLS = /^(CERT_|ERR_TLS|ERR_SSL|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH|ERR_OSSL)/;

/**
 * Converts an error of ioredis into the error for the caller of a channel.
 *
 * @param where the server, as the options name it
 * @param sent whether the command may have reached the server
 */
export function explain(error: unknown, where: string, sent: boolean): ChannelError {
  if (isChannelError(error)) return error;
  const cause = withoutSecrets(error);
  const found = refusal(cause.message);
  // A refusal proves that nothing was done. Any other error reply may come from the middle of a script.
  if (found !== undefined) return refused(found, where, { cause });
  const { code } = cause;
  if (code !== undefined && TLS.test(code)) {
    return new ChannelError("UNAVAILABLE", `${where} cannot be spoken to by TLS: ${cause.message}. Check "tls"`, {
      cause,
    });
  }
  const outcome = sent ? "unknown" : "not-applied";
  if (isReply(error)) return new ChannelError("FAILED", `${where} says: ${cause.message}`, { outcome, cause });
  const advice = sent
    ? "The connection broke before the answer came: whether it was done is not known"
    : "Is it running, and is the address right?";
  // ioredis names one of its own options, which the user does not have.
  const reason = cause.message.startsWith("Reached the max retries")
    ? "it does not answer"
    : cause.message.replace(/^Unknown RESP type .*/, "what answers there is not Redis");
  return new ChannelError("UNAVAILABLE", `${where} is not reachable (${code ?? reason}). ${advice}`, {
    retryable: true,
    outcome,
    cause,
  });
}

/**
 * The error for one commit of several that the server failed while it continued with the others.
 *
 * @param text the server's error
 * @param outcome of the commit, which the script knows
 */
export function explainPart(text: string, where: string, outcome: "not-applied" | "unknown"): ChannelError {
  const cause = new Error(text);
  const found = refusal(text);
  if (found !== undefined) return refused(found, where, { outcome, cause });
  return new ChannelError("FAILED", `${where} says: ${text}`, { outcome, cause });
}

/** The same error for a call that only reads, which changed nothing whatever its outcome. */
export function ofRead(error: unknown): unknown {
  if (!isChannelError(error) || error.outcome === "not-applied") return error;
  const { code, message, retryable, cause } = error;
  return new ChannelError(code, message.replace(": whether it was done is not known", ""), { retryable, cause });
}

/** Whether reconnecting is useless until the operator changes something. */
export function isLasting(error: ChannelError): boolean {
  return !error.retryable;
}

/** Whether ioredis refused to send a command, so that it surely reached no server. */
export function neverSent(error: unknown): boolean {
  return error instanceof Error && error.message.endsWith("enableOfflineQueue options is false");
}

export function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

function refusal(message: string): Meaning | undefined {
  const [word = ""] = message.split(" ", 1);
  const phrase = PHRASES.find(([words]) => words.test(message))?.[1];
  return phrase ?? (Object.hasOwn(REFUSALS, word) ? REFUSALS[word] : undefined);
}

function refused([code, retryable, what]: Meaning, where: string, details: ChannelErrorDetails): ChannelError {
  return new ChannelError(code, `${where} ${what}`, { ...details, retryable });
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}

/** Copies an error without its command: ioredis attaches all arguments, values and passwords too. */
function withoutSecrets(error: unknown): Error & { readonly code?: string } {
  if (!(error instanceof Error)) return new Error(String(error));
  const { lastNodeError, code } = error as { lastNodeError?: unknown; code?: string };
  if (lastNodeError !== undefined && lastNodeError !== null) return withoutSecrets(lastNodeError);
  const copy = new Error(error.message);
  copy.name = error.name;
  return typeof code === "string" ? Object.assign(copy, { code }) : copy;
}
