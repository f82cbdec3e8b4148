import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PrivateNetwork } from "../net/network.js";
import { ClusterNode } from "./node.js";
import { ask } from "./resp.js";

const READY = /Ready to accept connections|Sentinel ID is/;

/** Where a Redis server runs, and the folder for its files. */
export interface Place {
  readonly network: PrivateNetwork;
  readonly host: string;
  readonly port: number;
  readonly folder: string;
}

/** A Redis server that keeps acknowledged writes when it is killed. */
export function redisServer({ network, host, port, folder }: Place, args: readonly string[]): ClusterNode {
  const dir = join(folder, `redis-${host}-${port}`);
  mkdirSync(dir);
  const keeps = ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--repl-diskless-sync-delay", "0"];
  const own = ["--port", String(port), "--bind", network.address(host), "127.0.0.1", "--protected-mode", "no"];
  const command = [...network.on(host), "redis-server", ...own, "--dir", dir, ...keeps, ...args];
  return new ClusterNode({ name: `redis on ${host}:${port}`, host, port, command, ready: READY });
}

/** A Sentinel with these lines of configuration. */
export function sentinel({ network, host, port, folder }: Place, lines: readonly string[]): ClusterNode {
  const dir = join(folder, `sentinel-${host}`);
  mkdirSync(dir);
  const file = join(dir, "sentinel.conf");
  writeFileSync(file, `${[`port ${port}`, "protected-mode no", `dir ${dir}`, ...lines].join("\n")}\n`);
  const command = [...network.on(host), "redis-server", file, "--sentinel"];
  return new ClusterNode({ name: `sentinel on ${host}`, host, port, command, ready: READY });
}

/** How long to wait for an answer, in ms. */
const PATIENCE = 10_000;

/** Sends a command to a server. Resolves to its answer as text; a list becomes lines. */
export async function command(
  network: PrivateNetwork,
  { host, port }: Pick<ClusterNode, "host" | "port">,
  ...words: readonly string[]
): Promise<string> {
  const reply = await ask({ host: network.address(host), port }, words, PATIENCE);
  return Array.isArray(reply) ? reply.join("\n") : String(reply).trim();
}

/** Reads the replication state of a server by `INFO replication`. */
export async function replicationOf(network: PrivateNetwork, node: ClusterNode): Promise<Replication> {
  const info = await command(network, node, "INFO", "replication");
  const fact = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1];
  return {
    isMaster: fact("role") === "master",
    replicas: (info.match(/state=online/g) ?? []).length,
    followsLiving: fact("master_link_status") === "up",
  };
}

/** The replication state of a server. */
export interface Replication {
  readonly isMaster: boolean;
  /** How many replicas are in sync with it. */
  readonly replicas: number;
  readonly followsLiving: boolean;
}
