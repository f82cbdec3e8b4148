import { ChannelError } from "@ojm/core/backend";
import type { PassedClient, Settings } from "../options.js";
import { type Etcd3Pool, type EtcdNode, nodeOverEtcd3 } from "./client.js";

/**
 * gRPC's own defaults wait up to two minutes before they look for a node again, and refuse an answer above 4
 * MiB: one long value and its neighbours in a page. A ping every ten seconds finds a connection that was cut
 * without a word.
 */
const GRPC_DEFAULTS = {
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 250,
  "grpc.max_receive_message_length": -1,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 3_000,
};

const NEVER_ABORTED: AbortSignal = new AbortController().signal;

/** What etcd3 calls a policy: this one neither repeats a call nor refuses one. */
const NO_POLICY: unknown = {
  execute: async (call: (context: { signal: AbortSignal }) => unknown) => await call({ signal: NEVER_ABORTED }),
  onSuccess: () => ({ dispose: () => undefined }),
  onFailure: () => ({ dispose: () => undefined }),
};

/** The nodes to talk to, and what stands before every key. */
export interface Connection {
  readonly nodes: readonly EtcdNode[];
  readonly keyPrefix: string;
}

/** Makes the clients, one for each host, or takes the one that was passed in. Nothing is sent yet. */
export async function connect(settings: Settings): Promise<Connection> {
  if (settings.client !== undefined) return overPassedClient(settings.client, settings.keyPrefix);
  // Loading etcd3 takes as long as starting Node twice: only who opens an etcd channel pays for it.
  const { Etcd3 } = await import("etcd3");
  type Options = NonNullable<ConstructorParameters<typeof Etcd3>[0]>;
  const nodes = settings.hosts.map((host) => {
    const options = {
      hosts: host,
      grpcOptions: { ...GRPC_DEFAULTS, ...settings.grpcOptions },
      faultHandling: { host: () => NO_POLICY, global: NO_POLICY },
      // For the sign-in, the one call that etcd3 makes by itself.
      defaultCallOptions: ({ isStream }: { isStream: boolean }) =>
        isStream ? {} : { deadline: Date.now() + settings.deadline },
      ...(settings.auth && { auth: settings.auth }),
      ...(settings.credentials && { credentials: settings.credentials }),
    };
    const client = new Etcd3(options as unknown as Options);
    return nodeOverEtcd3([host.replace(/^https?:\/\//, "")], poolOf(client), () => client.close());
  });
  return { nodes, keyPrefix: settings.keyPrefix };
}

function overPassedClient(client: PassedClient, keyPrefix: string): Connection {
  const pool = poolOf(client);
  const hosts = (pool as { options?: { hosts?: string | string[] } }).options?.hosts ?? "the client's hosts";
  // A namespace of a client puts its prefix before keys in calls that are not used here.
  const { prefix } = client as { prefix?: unknown };
  const namespace = prefix instanceof Buffer ? prefix.toString("utf8") : "";
  return { nodes: [nodeOverEtcd3([hosts].flat(), pool, () => undefined)], keyPrefix: namespace + keyPrefix };
}

function poolOf(client: object): Etcd3Pool {
  // Protected, but the only way to make a call without etcd3's repetitions.
  const { pool } = client as { pool?: Partial<Etcd3Pool> };
  if (typeof pool?.withConnection !== "function") {
    throw new ChannelError("INVALID_CONFIG", 'channel type "etcd": client must be an Etcd3 of the package etcd3');
  }
  return pool as Etcd3Pool;
}
