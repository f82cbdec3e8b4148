import { durationText } from "@ojm/core/backend";
import { GRPC, RpcError, rpcErrorOf, UNSENT } from "../errors.js";
import type {
  LeaseGrantResponse,
  LeaseTimeToLiveResponse,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
  WatchStream,
} from "./messages.js";
import { unrefStream } from "./unref.js";

/** The timeout of one call, and a signal that ends it sooner. */
export interface CallLimits {
  /** In ms, above 0. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The calls to etcd that this package makes, to one node or to several behind one client. A failed call
 * rejects with an {@link RpcError}. A call that may have been carried out is never repeated in here.
 */
export interface EtcdNode {
  /** Host and port, for messages. */
  readonly name: string;
  /** Whether these are several nodes, and each call goes to any of them. */
  readonly several: boolean;
  range(request: RangeRequest, limits: CallLimits): Promise<RangeResponse>;
  txn(request: TxnRequest, limits: CallLimits): Promise<TxnResponse>;
  leaseGrant(request: { readonly TTL: number; readonly ID: number }, limits: CallLimits): Promise<LeaseGrantResponse>;
  leaseTimeToLive(request: { readonly ID: string }, limits: CallLimits): Promise<LeaseTimeToLiveResponse>;
  /** Opens a stream. A node that loses its leader ends the stream, instead of staying silent. */
  watch(limits: CallLimits): Promise<WatchStream>;
  close(): void;
}

interface GrpcMetadata {
  clone(): GrpcMetadata;
  set(name: string, value: string): void;
}
interface GrpcCall {
  cancel(): void;
}
type GrpcMethod = (
  request: object,
  metadata: GrpcMetadata,
  options: { deadline: number },
  callback: (error: Error | null, response: unknown) => void,
) => GrpcCall;

/** The part of etcd3's connection pool that this package uses. */
export interface Etcd3Pool {
  withConnection(
    service: string,
    use: (connection: { client: object; metadata: GrpcMetadata }) => void,
  ): Promise<unknown>;
  readonly authenticator?: { invalidateMetadata?(): void };
}

/** gRPC ends a call at its deadline. This much later, in ms, we end the call ourselves. */
const GRACE = 100;

/**
 * Makes one call, without etcd3's own `exec`. That one repeats a transaction after a lost reply: the second
 * attempt then reports a lost race to a caller that has won.
 */
function unary<Response>(
  pool: Etcd3Pool,
  service: string,
  method: string,
  request: object,
  limits: CallLimits,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    let call: GrpcCall | undefined;
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      clearTimeout(backstop);
      limits.signal?.removeEventListener("abort", abort);
      return true;
    };
    const giveUp = (code: number, details: string): void => {
      if (!settle()) return;
      call?.cancel();
      reject(new RpcError(code, details, call !== undefined));
    };
    const abort = (): void => giveUp(GRPC.cancelled, "aborted by the caller");
    const overdue = (): void => giveUp(GRPC.deadlineExceeded, `no answer within ${durationText(limits.timeout)}`);
    const backstop = setTimeout(overdue, limits.timeout + GRACE);
    limits.signal?.addEventListener("abort", abort, { once: true });

    const deadline = Date.now() + limits.timeout;
    pool
      .withConnection(service, ({ client, metadata }) => {
        if (settled) return;
        const start = (client as Record<string, GrpcMethod>)[method] as GrpcMethod;
        call = start.call(client, request, metadata, { deadline }, (error, response) => {
          if (!settle()) return;
          if (error === null) resolve(response as Response);
          else reject(rpcErrorOf(error));
        });
      })
      // Nothing of the call was sent: etcd3's sign-in failed, which comes first, or the client is closed.
      .catch((error: unknown) => settle() && reject(rpcErrorOf(error, UNSENT)));
  });
}

/**
 * An {@link EtcdNode} over the pool of an etcd3 client.
 *
 * @param close closes the client. Absent if the caller passed the client: then its connections keep the
 * process alive, as the caller may expect
 */
export function nodeOverEtcd3(names: readonly string[], pool: Etcd3Pool, close?: () => void): EtcdNode {
  const call = async <Response>(
    service: string,
    method: string,
    request: object,
    limits: CallLimits,
  ): Promise<Response> => {
    try {
      return await unary<Response>(pool, service, method, request, limits);
    } catch (error) {
      // A token expires after five minutes, or when the node restarts. A call that is refused for its token
      // was not carried out, so repeat it with a new token.
      const stale = error instanceof RpcError && error.details.includes("invalid auth token");
      if (!stale || pool.authenticator?.invalidateMetadata === undefined) throw error;
      pool.authenticator.invalidateMetadata();
      return await unary<Response>(pool, service, method, request, limits);
    }
  };
  return {
    name: names.join(", "),
    several: names.length > 1,
    range: (request, limits) => call("KV", "range", request, limits),
    txn: (request, limits) => call("KV", "txn", request, limits),
    leaseGrant: (request, limits) => call("Lease", "leaseGrant", request, limits),
    leaseTimeToLive: (request, limits) => call("Lease", "leaseTimeToLive", request, limits),
    watch: async (limits) => {
      const stream = await openWatch(pool, limits);
      if (close !== undefined) stream.once("metadata", () => unrefStream(stream));
      return stream;
    },
    close: () => close?.(),
  };
}

function openWatch(pool: Etcd3Pool, limits: CallLimits): Promise<WatchStream> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new RpcError(GRPC.deadlineExceeded, `no stream within ${durationText(limits.timeout)}`, UNSENT));
    }, limits.timeout);
    pool
      .withConnection("Watch", ({ client, metadata }) => {
        clearTimeout(timer);
        if (late) return;
        const withLeader = metadata.clone();
        withLeader.set("hasleader", "true");
        const open = (client as { watch(metadata: GrpcMetadata): WatchStream }).watch(withLeader);
        // A cancelled stream emits an `error`, and Node ends the process if no listener handles it.
        open.on("error", () => undefined);
        resolve(open);
      })
      .catch((error: unknown) => {
        clearTimeout(timer);
        reject(rpcErrorOf(error, UNSENT));
      });
  });
}
