import { checkedDuration, rejectUnknownOptions } from "@ojm/core/backend";
import {
  type ClientOptions,
  type ClusterClient,
  clusterOptions,
  followsSentinels,
  isCluster,
  type NodeClient,
  nodeOptions,
  type RedisClient,
} from "./connection/client.js";
import { hostOf, invalid, refuseQuery, refuseWrongUrl } from "./url.js";

/** Options that are passed on to ioredis. The backend sets those that control queues and retries. */
const IOREDIS = [
  "host",
  "port",
  "path",
  "family",
  "username",
  "password",
  "db",
  "tls",
  "name",
  "sentinels",
  "sentinelUsername",
  "sentinelPassword",
  "sentinelTLS",
  "enableTLSForSentinelMode",
  "updateSentinels",
  "failoverDetector",
  "natMap",
  "connectTimeout",
  "keepAlive",
  "noDelay",
  "connectionName",
  "clientInfoTag",
  "disableClientInfo",
  "protocol",
] as const;

const OWN = [
  "url",
  "cluster",
  "client",
  "keyPrefix",
  "deadline",
  "waitReplicas",
  "allowLostWrites",
  "allowEviction",
] as const;

/** The names of the options. */
export const OPTIONS: readonly string[] = [...OWN, ...IOREDIS];

/** The checked options of a channel of type "redis". */
export interface Settings {
  /** Creates the client. It is not connected yet. */
  create(): Promise<NodeClient | ClusterClient>;
  readonly keyPrefix: string;
  /** The longest time that a call may take, in ms. */
  readonly deadline: number;
  readonly waitReplicas: number;
  /** Whether a failover may lose writes, and the caller has not allowed that. */
  readonly refuseLostWrites: boolean;
  readonly allowEviction: boolean;
  /** The server, for messages. Never contains a password. */
  readonly where: string;
}

/**
 * Checks the options.
 *
 * @throws ChannelError `INVALID_CONFIG`, which says what is wrong
 */
export function readOptions(args: Readonly<Record<string, unknown>>): Settings {
  rejectUnknownOptions("redis", args, OPTIONS);
  const deadline = checkedDuration('"deadline"', args["deadline"] ?? 5_000, refuse, 1, 2 ** 30);
  const { client, cluster } = args;
  const source = client !== undefined ? lent(args) : cluster !== undefined ? ofCluster(args) : ofServer(args);
  // With Sentinel, writes wait for a replica: a master that is cut off together with a holder would continue
  // to renew the holder's lock, while the next master gives that lock away.
  const waitReplicas = wholeNumber("waitReplicas", args["waitReplicas"] ?? (source.isSentinel ? 1 : 0));
  if (waitReplicas > 0 && source.isCluster) {
    throw invalid(`"waitReplicas" is not supported in a Cluster, only with one server or with Sentinel`);
  }
  const allowEviction = yesOrNo(args, "allowEviction");
  const allowLostWrites = yesOrNo(args, "allowLostWrites");
  return {
    create: () => source.create(deadline),
    where: source.where,
    keyPrefix: source.keyPrefix + prefix(args),
    deadline,
    waitReplicas,
    refuseLostWrites: source.isSentinel && waitReplicas === 0 && !allowLostWrites,
    allowEviction,
  };
}

interface Source {
  create(deadline: number): Promise<NodeClient | ClusterClient>;
  readonly where: string;
  readonly isCluster: boolean;
  readonly isSentinel: boolean;
  readonly keyPrefix: string;
}

/**
 * Uses the caller's client only as a template, and does not touch it. Its own settings would send commands
 * twice or hold them back, and a connection that watches can do nothing else.
 */
function lent(args: Readonly<Record<string, unknown>>): Source {
  const client = args["client"] as NodeClient | ClusterClient;
  if (typeof client !== "object" || client === null || typeof client.duplicate !== "function") {
    throw invalid(`"client" is not a client of ioredis`);
  }
  const clash = [...IOREDIS, "url", "cluster"].find((option) => args[option] !== undefined);
  if (clash !== undefined) throw invalid(`"client" brings its own connection: it excludes "${clash}"`);
  const options = (client as RedisClient).options;
  const keyPrefix = options.keyPrefix ?? "";
  if (isCluster(client)) {
    const create = async (deadline: number): Promise<ClusterClient> =>
      client.duplicate([], { ...clusterOptions(deadline), redisOptions: nodeOptions(deadline) });
    const where = "the Redis Cluster of the given client";
    return { create, where, isCluster: true, isSentinel: false, keyPrefix };
  }
  const create = async (deadline: number): Promise<NodeClient> => client.duplicate(nodeOptions(deadline));
  return { create, where: describe(options), isCluster: false, isSentinel: followsSentinels(client), keyPrefix };
}

function ofCluster(args: Readonly<Record<string, unknown>>): Source {
  const { nodes, options = {}, ...rest } = map(args["cluster"], "cluster");
  rejectUnknownOptions("redis", rest, ["nodes", "options"]);
  if (!Array.isArray(nodes) || nodes.length === 0) {
    throw invalid(`"cluster" needs nodes: cluster: { nodes: [{ host: "10.0.0.1", port: 6379 }] }`);
  }
  const clash = ["url", "host", "port", "path", "db", "sentinels", "name"].find((option) => args[option] !== undefined);
  if (clash !== undefined) throw invalid(`"cluster" excludes "${clash}"`);
  for (const node of nodes) if (typeof node === "string" && URL.canParse(node)) refuseQuery(new URL(node));
  const given = map(options, "cluster.options");
  const create = async (deadline: number): Promise<ClusterClient> => {
    const { Cluster } = await import("ioredis");
    const redisOptions = {
      ...nodeOptions(deadline),
      ...ioredisOptions(args),
      ...map(given["redisOptions"] ?? {}, "redisOptions"),
    };
    const all = { ...given, ...clusterOptions(deadline), redisOptions: { ...redisOptions, ...fixed(deadline) } };
    return new Cluster(nodes, all) as unknown as ClusterClient;
  };
  const hosts = nodes.map((node: unknown) =>
    typeof node === "object" ? address(node as ClientOptions) : hostOf(String(node)),
  );
  const where = `the Redis Cluster at ${hosts.join(", ")}`;
  return { create, where, isCluster: true, isSentinel: false, keyPrefix: "" };
}

function ofServer(args: Readonly<Record<string, unknown>>): Source {
  const { url, sentinels, name } = args;
  if (url !== undefined) refuseWrongUrl(url);
  if (sentinels !== undefined && (!Array.isArray(sentinels) || sentinels.length === 0 || typeof name !== "string")) {
    throw invalid(`"sentinels" is a list like [{ host: "10.0.0.1", port: 26379 }], beside the "name" of the master`);
  }
  const options = ioredisOptions(args);
  const create = async (deadline: number): Promise<NodeClient> => {
    const { Redis } = await import("ioredis");
    const all = { ...nodeOptions(deadline), ...options, ...fixed(deadline) };
    return (url === undefined ? new Redis(all) : new Redis(url, all)) as unknown as NodeClient;
  };
  const where = typeof url === "string" ? `Redis at ${hostOf(url)}` : describe(options);
  return { create, where, isCluster: false, isSentinel: sentinels !== undefined, keyPrefix: "" };
}

/** The options that the caller may not change: all of {@link nodeOptions} except `connectTimeout`. */
function fixed(deadline: number): Record<string, unknown> {
  const { connectTimeout: _, ...rest } = nodeOptions(deadline);
  return rest;
}

function ioredisOptions(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(IOREDIS.filter((name) => args[name] !== undefined).map((name) => [name, args[name]]));
}

function describe(options: ClientOptions): string {
  if (options.sentinels) return `Redis "${options.name}" by the Sentinels ${options.sentinels.map(address).join(", ")}`;
  return `Redis at ${options.path ?? address(options)}`;
}

function address({ host = "localhost", port = 6379 }: ClientOptions): string {
  return `${host}:${port}`;
}

function prefix(args: Readonly<Record<string, unknown>>): string {
  const { keyPrefix = "ojm:" } = args;
  // A Cluster would take any other brace for the start of a hash tag, and spread a channel over its nodes.
  if (typeof keyPrefix !== "string" || !/^[^{}]*(\{[^{}]+\}[^{}]*)?$/.test(keyPrefix)) {
    throw invalid(`"keyPrefix" is a text in which braces may only form one hash tag, like "{shop}:"`);
  }
  return keyPrefix;
}

function wholeNumber(name: string, value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 2 ** 30) return value;
  throw invalid(`"${name}" is a whole number from 0 up`);
}

function refuse(message: string): never {
  throw invalid(message);
}

function yesOrNo(args: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = args[name] ?? false;
  if (typeof value !== "boolean") throw invalid(`"${name}" is true or false`);
  return value;
}

function map(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(`"${name}" is a map`);
}
