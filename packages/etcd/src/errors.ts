import { ChannelError, type ChannelErrorCode, durationText } from "@ojm/core/backend";

/** For {@link RpcError.sent}: the call never left this process. */
export const UNSENT = false;

/** The gRPC status codes that this package distinguishes. */
export const GRPC = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/**
 * The messages for a call that was not carried out. Most are gRPC's: it found no connection, and sent no byte
 * of the call. Match these exact words: a deadline that ends a call in flight also mentions name resolution,
 * as in "Deadline exceeded after 1s,name resolution: 0.001s,remote_addr=…".
 */
const NEVER_SENT = [
  "No connection established",
  "Waiting for LB pick",
  "waiting for name resolution",
  "waiting for metadata filters",
  "Channel closed before call started",
  "Name resolution failed",
  // A node sends these when it refuses a request before handling it. Other nodes may accept the request.
  "not supported for learner",
  "too many requests",
];

function neverSent(details: string): boolean {
  return NEVER_SENT.some((words) => details.includes(words)) && !details.includes("previous attempts");
}

/** A failed call to etcd: its gRPC status, and whether the node may have received it. */
export class RpcError extends Error {
  override readonly name: string = "RpcError";
  readonly code: number;
  readonly details: string;
  readonly sent: boolean;

  constructor(code: number, details: string, sent: boolean, cause?: unknown) {
    super(details, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
    this.sent = sent;
  }

  /** Whether the connection or the node failed, not the request: another one, or a later try, may answer. */
  get transient(): boolean {
    if (this.details.includes("too many requests")) return true;
    const codes: readonly number[] = [GRPC.cancelled, GRPC.deadlineExceeded, GRPC.internal, GRPC.unavailable];
    return codes.includes(this.code);
  }
}

/** Converts an error of grpc-js, or of etcd3, which keeps only a text like "14 UNAVAILABLE: …". */
export function rpcErrorOf(error: unknown, sent: boolean = true): RpcError {
  if (error instanceof RpcError) return error;
  const { code, details, message } = error as { code?: unknown; details?: unknown; message?: unknown };
  const given = typeof details === "string" && details !== "" ? details : String(message ?? error);
  const [prefix = "", of] = /^(\d+) [A-Z_]+: /.exec(given) ?? [];
  const text = given.slice(prefix.length).replace(/\.? Resolution note: $/, "");
  const number = typeof code === "number" ? code : Number(of ?? GRPC.unknown);
  return new RpcError(number, text, sent && !neverSent(text), error);
}

/** etcd's messages for refused requests, and the error code for each. The first match counts. */
const REFUSALS: readonly (readonly [words: string, code: ChannelErrorCode, advice: string])[] = [
  ["database space exceeded", "FULL", "compact and defragment it, then clear its alarm with `etcdctl alarm disarm`"],
  ["request is too large", "TOO_LARGE", "the limit is etcd's --max-request-bytes"],
  ["larger than max", "TOO_LARGE", "the limit is etcd's --max-request-bytes"],
  ["too many operations in txn", "TOO_LARGE", "the limit is etcd's --max-txn-ops"],
  ["authentication is not enabled", "INVALID_CONFIG", "omit the option auth, or enable authentication"],
  ["authentication failed", "DENIED", "check the option auth"],
  ["corrupt", "CORRUPT", "the node has raised its CORRUPT alarm"],
];

/**
 * Returns the {@link ChannelError} for a failed call. `writing` is whether the call may have changed
 * something if it was sent. The message names the host, but not the contents of the call.
 */
export function channelErrorOf(error: RpcError, host: string, writing: boolean): ChannelError {
  const where = `etcd at ${host}`;
  const refusal = REFUSALS.find(([words]) => error.details.includes(words));
  if (refusal !== undefined) {
    const [, code, advice] = refusal;
    return new ChannelError(code, `${where} refused: ${error.details} (${advice})`, { cause: error });
  }
  if (error.code === GRPC.permissionDenied || error.code === GRPC.unauthenticated) {
    return new ChannelError("DENIED", `${where} refused: ${error.details}`, { cause: error });
  }
  if (error.details.includes("user name is empty")) {
    return new ChannelError("DENIED", `${where} asks for a user: give the option auth`, { cause: error });
  }
  const inDoubt = writing && error.sent && (error.transient || error.code === GRPC.unknown);
  const details = { retryable: error.transient, outcome: inDoubt ? "unknown" : "not-applied", cause: error } as const;
  if (error.code === GRPC.deadlineExceeded) {
    const what = error.sent ? "did not answer in time" : "cannot be reached";
    return new ChannelError("TIMEOUT", `${where} ${what}: ${sayDetails(error)}`, details);
  }
  if (error.transient) return new ChannelError("UNAVAILABLE", `${where} is unavailable: ${sayDetails(error)}`, details);
  return new ChannelError("FAILED", `${where} failed: ${sayDetails(error)}`, details);
}

const isLocal = (text: string): boolean => / (127\.0\.0\.1|::1):/.test(text);

/** A hint how to start the server on this host if it does not run: on a first try it is often missing. */
function startHelp(port: number): string {
  const url = `http://127.0.0.1:${port}`;
  const options = port === 2379 ? "" : ` --listen-client-urls ${url} --advertise-client-urls ${url}`;
  return `To start a server on this host: etcd${options}`;
}

/** The likely cause of a connection that is closed at once: gRPC hides why a TLS handshake failed. */
const TLS_HELP =
  "Either both sides use TLS or neither: it is written https:// in hosts, and etcds:// in a URL. The CA of the server must be known: see NODE_EXTRA_CA_CERTS";
const CA_HELP = "Set its CA in NODE_EXTRA_CA_CERTS, or in credentials.rootCertificate";

/** The failure in readable form: gRPC lists its steps, and reports `null` for a server without TLS. */
function sayDetails({ details, sent }: RpcError): string {
  const [, seconds] = /^Deadline exceeded after ([\d.]+)s/.exec(details) ?? [];
  if (seconds !== undefined)
    return `no ${sent ? "answer" : "connection"} within ${durationText(Number(seconds) * 1_000)}`;
  if (
    /^No connection established\. Last error: (null\b|Failed to connect|.*before secure TLS connection)/.test(details)
  )
    return `the connection was closed before a call. ${TLS_HELP}`;
  const [, refused, port] =
    /^No connection established\. Last error: (?:Error: )?(connect ECONNREFUSED .*:(\d+))$/.exec(details) ?? [];
  if (refused !== undefined) return `${refused}${isLocal(refused) ? `. ${startHelp(Number(port))}` : ""}`;
  const [, untrusted] = /^No connection established\. Last error: (?:Error: )?(.*certificate.*)$/.exec(details) ?? [];
  if (untrusted !== undefined) return `${untrusted}. ${CA_HELP}`;
  return details;
}
