import { RpcError, rpcErrorOf, UNSENT } from "../errors.js";
import type {
  LeaseGrantResponse,
  LeaseTimeToLiveResponse,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
  WatchStream,
} from "./messages.js";

/** How long one call may take, and what ends the waiting sooner. */
export interface CallLimits {
  /** Milliseconds, more than 0. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The calls to etcd that this package makes: to one node, or to several behind one client. Whatever offers
 * these can take the place of etcd3. A call that fails rejects with an {@link RpcError}; no call is ever
 * repeated in here.
 */
export interface EtcdNode {
  /** Host and port, for messages. */
  readonly name: string;
  /** These are several, and each call goes to any of them. */
  readonly several: boolean;
  range(request: RangeRequest, limits: CallLimits): Promise<RangeResponse>;
  txn(request: TxnRequest, limits: CallLimits): Promise<TxnResponse>;
  leaseGrant(request: { readonly TTL: number; readonly ID: number }, limits: CallLimits): Promise<LeaseGrantResponse>;
  leaseTimeToLive(request: { readonly ID: string }, limits: CallLimits): Promise<LeaseTimeToLiveResponse>;
  /** A stream that the node ends when it has lost its leader, instead of staying silent. */
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

/** The part of etcd3's connection pool that is used. */
export interface Etcd3Pool {
  withConnection(
    service: string,
    use: (connection: { client: object; metadata: GrpcMetadata }) => void,
  ): Promise<unknown>;
  readonly authenticator?: { invalidateMetadata?(): void };
}

/** gRPC ends a call at its deadline by itself; this much later we no longer believe that it will. */
const GRACE = 100;

/**
 * Makes one call, past etcd3's own `exec`: that one sends a transaction again after a lost reply, and the
 * second sending then reports a lost race to somebody who has won.
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
    const abort = (): void => giveUp(1, "aborted by the caller");
    const backstop = setTimeout(() => giveUp(4, `no answer within ${limits.timeout} ms`), limits.timeout + GRACE);
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
      // Nothing was sent yet: this is the sign-in that etcd3 makes first, or a client that is closed.
      .catch((error: unknown) => settle() && reject(rpcErrorOf(error, UNSENT)));
  });
}

/**
 * An {@link EtcdNode} over the pool of an etcd3 client. `close` is called for a client of our own, not for
 * one passed in.
 */
export function nodeOverEtcd3(names: readonly string[], pool: Etcd3Pool, close: () => void): EtcdNode {
  const call = async <Response>(
    service: string,
    method: string,
    request: object,
    limits: CallLimits,
  ): Promise<Response> => {
    try {
      return await unary<Response>(pool, service, method, request, limits);
    } catch (error) {
      // A token lives five minutes, and not beyond a restart of the node. Refused for it, the call was not
      // carried out.
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
    watch: (limits) => openWatch(pool, limits),
    close,
  };
}

function openWatch(pool: Etcd3Pool, limits: CallLimits): Promise<WatchStream> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new RpcError(4, `no stream within ${limits.timeout} ms`, UNSENT));
    }, limits.timeout);
    pool
      .withConnection("Watch", ({ client, metadata }) => {
        clearTimeout(timer);
        if (late) return;
        const withLeader = metadata.clone();
        withLeader.set("hasleader", "true");
        const open = (client as { watch(metadata: GrpcMetadata): WatchStream }).watch(withLeader);
        // Node ends the process for an 'error' that nobody listens to, and a cancelled stream has one.
        open.on("error", () => undefined);
        resolve(open);
      })
      .catch((error: unknown) => {
        clearTimeout(timer);
        reject(rpcErrorOf(error, UNSENT));
      });
  });
}
