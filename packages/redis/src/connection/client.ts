/** The methods of a client's socket that this backend uses. */
export interface ClientSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  unref(): void;
  cork(): void;
  uncork(): void;
  write(...args: never[]): boolean;
}

/** The calls of an ioredis client, of one server or of a Cluster, that this backend makes. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster?: boolean;
  readonly options: ClientOptions;
  /** The socket, once there is one. A Cluster has one for each node. */
  readonly stream?: ClientSocket;
  on(event: string, listener: (...args: never[]) => void): unknown;
  once(event: string, listener: (...args: never[]) => void): unknown;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  evalsha(sha: string, keyCount: number, ...args: string[]): Promise<unknown>;
  eval(source: string, keyCount: number, ...args: string[]): Promise<unknown>;
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** A connection to one server. */
export interface NodeClient extends RedisClient {
  duplicate(options: Readonly<Record<string, unknown>>): NodeClient;
}

/** A connection to all nodes of a Cluster. */
export interface ClusterClient extends RedisClient {
  readonly isCluster: true;
  /** The nodes (`host:port`) that serve each slot, the master first. */
  readonly slots: readonly (readonly string[])[];
  nodes(role: "master"): NodeClient[];
  duplicate(nodes: [], options: Readonly<Record<string, unknown>>): ClusterClient;
  refreshSlotsCache(callback?: (error?: Error) => void): void;
}

/** The options of a client that this backend reads. */
export interface ClientOptions {
  readonly host?: string;
  readonly port?: number;
  /** The number of the database. A Cluster has none. */
  readonly db?: number;
  readonly path?: string;
  readonly keyPrefix?: string;
  readonly name?: string;
  readonly tls?: unknown;
  /** Of a Cluster: the options of its nodes. */
  readonly redisOptions?: { readonly tls?: unknown };
  readonly sentinels?: readonly { readonly host?: string; readonly port?: number }[] | null;
}

/** The server that a client is connected to, as an address. */
export function serverOf({ stream }: RedisClient): string {
  return `${stream?.remoteAddress} ${stream?.remotePort}`;
}

/** Whether a client learns from Sentinels which server is the master. */
export function followsSentinels({ options }: RedisClient): boolean {
  return Boolean(options.sentinels);
}

/**
 * Calls `use` with the socket of each connection that a client makes: it has a new one after a reconnection.
 */
export function onEachSocket(client: RedisClient, use: (socket: ClientSocket) => void): void {
  const listen = (node: RedisClient): void => {
    node.on("connect", () => {
      if (node.stream !== undefined) use(node.stream);
    });
  };
  listen(client);
  client.on("+node", listen);
}

/**
 * Lets the process end although the connection is open. The deadline of a call in flight keeps the process
 * alive, and so does a caller that awaits a change from a watch. So a program that forgets to close its
 * channel still ends, as it does with a store in a file.
 */
export function letProcessEnd(client: RedisClient): void {
  onEachSocket(client, (socket) => socket.unref());
}

export function isCluster(client: RedisClient): client is ClusterClient {
  return client.isCluster === true;
}

/** The pause before the n-th attempt to reconnect, in ms. Short: a server that is back is used soon. */
export function backoff(attempt: number): number {
  return Math.min(attempt * 50, 500);
}

/**
 * The options that ioredis must have, whatever else is configured: it queues nothing, sends nothing twice,
 * and reconnects by itself.
 *
 * @param deadline of a call, in ms
 */
export function nodeOptions(deadline: number): Record<string, unknown> {
  return {
    lazyConnect: true,
    // ioredis would send queued commands after they were reported as not sent, or twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Without this, commands in flight are never answered when the connection breaks.
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    enableAutoPipelining: false,
    retryStrategy: backoff,
    sentinelRetryStrategy: backoff,
    // After a failover this server is the wrong one: reconnect to find the right one.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
    enableReadyCheck: true,
    maxLoadingRetryTime: 200,
    connectTimeout: Math.min(deadline, 2_000),
    sentinelCommandTimeout: Math.min(deadline, 1_000),
    // Give up a peer that vanished silently, but later than a call: short freezes cost no connection.
    socketTimeout: 2 * deadline,
    // A server that does not answer must not keep a process alive after its channels were closed.
    disconnectTimeout: 200,
    commandTimeout: undefined,
    role: "master",
    readOnly: false,
    monitor: false,
    keyPrefix: "",
    stringNumbers: false,
    replyMapping: "legacy",
  };
}

/** The same for a Cluster. Following its redirections is safe: a node that redirects has done nothing. */
export function clusterOptions(deadline: number): Record<string, unknown> {
  return {
    lazyConnect: true,
    enableAutoPipelining: false,
    scaleReads: "master",
    keyPrefix: "",
    clusterRetryStrategy: backoff,
    clusterNodeRetryStrategy: null,
    // Do not send a command again: a broken connection may have delivered it, and it would be applied twice.
    retryDelayOnFailover: 0,
    slotsRefreshTimeout: Math.min(deadline, 1_000),
  };
}
