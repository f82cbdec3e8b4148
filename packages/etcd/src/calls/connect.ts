import { isIP } from "node:net";
import { ChannelError } from "@ojm/core/backend";
import type { PassedClient, Settings } from "../options.js";
import { type Etcd3Pool, type EtcdNode, nodeOverEtcd3 } from "./client.js";
import { withExtraRoots } from "./roots.js";

/**
 * gRPC's own defaults wait up to two minutes before they try a node again, and refuse answers above 4 MiB: a
 * page with long values is larger. A ping every ten seconds finds a connection that was cut silently.
 */
const GRPC_DEFAULTS = {
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 250,
  "grpc.max_receive_message_length": -1,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 3_000,
};

const NEVER_ABORTED: AbortSignal = new AbortController().signal;

/** A policy, as etcd3 calls it, that neither repeats nor refuses a call. */
const NO_POLICY: unknown = {
  execute: async (call: (context: { signal: AbortSignal }) => unknown) => await call({ signal: NEVER_ABORTED }),
  onSuccess: () => ({ dispose: () => undefined }),
  onFailure: () => ({ dispose: () => undefined }),
};

/** The nodes to talk to, and the prefix of all keys. */
export interface Connection {
  readonly nodes: readonly EtcdNode[];
  readonly keyPrefix: string;
}

/** etcd3 is loaded only when an etcd channel is opened: it takes as long as starting Node twice. */
export const loadDriver = (): Promise<typeof import("etcd3")> => import("etcd3");

/** Creates one client for each host, or uses the passed one. Sends nothing yet. */
export async function connect(settings: Settings): Promise<Connection> {
  if (settings.client !== undefined) return overPassedClient(settings.client, settings.keyPrefix);
  const { Etcd3 } = await loadDriver();
  type Options = NonNullable<ConstructorParameters<typeof Etcd3>[0]>;
  const credentials = withExtraRoots(settings);
  const nodes = settings.hosts.map((host) => {
    const options = {
      hosts: host,
      grpcOptions: { ...GRPC_DEFAULTS, ...settings.grpcOptions },
      faultHandling: { host: () => NO_POLICY, global: NO_POLICY },
      // A deadline for the sign-in, the one call that etcd3 makes by itself.
      defaultCallOptions: ({ isStream }: { isStream: boolean }) =>
        isStream ? {} : { deadline: Date.now() + settings.deadline },
      ...(settings.auth && { auth: settings.auth }),
      ...(credentials && { credentials }),
    };
    const client = new Etcd3(options as unknown as Options);
    const pool = poolOf(client);
    leaveAddressesUnnamed(pool);
    return nodeOverEtcd3([host.replace(/^https?:\/\//, "")], pool, () => client.close());
  });
  return { nodes, keyPrefix: settings.keyPrefix };
}

/** The options of `tls.connect` that grpc-js makes for each connection by TLS. */
interface SecureConnector {
  readonly connectionOptions?: { servername?: string };
}

interface SecureCredentials {
  _createSecureConnector?(...args: readonly unknown[]): SecureConnector;
}

/**
 * Omits the server name of TLS if the host is an address. grpc-js passes the address, which Node rejects from
 * version 26 on, so that no connection is made. The certificate is still checked for the address, because it
 * is the host of the connection.
 *
 * @see https://datatracker.ietf.org/doc/html/rfc6066#section-3
 */
function leaveAddressesUnnamed(pool: Etcd3Pool): void {
  const { hosts = [] } = pool as { hosts?: readonly { readonly channelCredentials?: SecureCredentials }[] };
  for (const { channelCredentials: credentials } of hosts) {
    const create = credentials?._createSecureConnector?.bind(credentials);
    if (credentials === undefined || create === undefined) continue;
    credentials._createSecureConnector = (...args) => {
      const connector = create(...args);
      const { connectionOptions: options } = connector;
      if (options?.servername !== undefined && isIP(options.servername) !== 0) delete options.servername;
      return connector;
    };
  }
}

function overPassedClient(client: PassedClient, keyPrefix: string): Connection {
  const pool = poolOf(client);
  const hosts = (pool as { options?: { hosts?: string | string[] } }).options?.hosts ?? "the client's hosts";
  // Add the prefix of a client's namespace here: etcd3 adds it only in calls that this package does not use.
  const { prefix } = client as { prefix?: unknown };
  const namespace = prefix instanceof Buffer ? prefix.toString("utf8") : "";
  return { nodes: [nodeOverEtcd3([hosts].flat(), pool)], keyPrefix: namespace + keyPrefix };
}

function poolOf(client: object): Etcd3Pool {
  // `pool` is protected, but it is the only way to make a call that etcd3 does not repeat.
  const { pool } = client as { pool?: Partial<Etcd3Pool> };
  if (typeof pool?.withConnection !== "function") {
    throw new ChannelError("INVALID_CONFIG", 'channel type "etcd": client must be an Etcd3 of the package etcd3');
  }
  return pool as Etcd3Pool;
}
