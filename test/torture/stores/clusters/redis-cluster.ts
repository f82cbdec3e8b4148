import { whyMissing } from "@ojm/testing/redis";
import { whyNoNamespaces } from "../../cluster/net/namespaces.js";
import { PrivateNetwork } from "../../cluster/net/network.js";
import { type Cluster, type Duty, eventually } from "../../cluster/nodes/cluster.js";
import { type ClusterNode, startAll } from "../../cluster/nodes/node.js";
import { command, redisServer, replicationOf } from "../../cluster/nodes/redis-node.js";
import { DEADLINE, type StoreKind, versionOf } from "../store.js";
import { networkWishes, workerHost } from "./clustered.js";

const HOSTS = ["n0", "n1", "n2"];
const FIRST_PORT = 6379;
const BOUNDS = [0, 5_461, 10_923, 16_384];

/** After this silence, in ms, the other nodes consider a master dead. */
const SILENCE = 6_000;

/*
 * A cut-off master must stop before another one begins. It refuses writes once it has heard of no replica for
 * this many seconds, and checks that once a second. With that and the time to live, the last lease that it
 * renewed ends within less than `SILENCE`.
 */
const MOST_LAG = 2;

/** The key prefixes. Each puts all its keys in one slot, and the two slots are on different masters. */
const PREFIXES: Readonly<Record<Duty, string>> = { locks: "{locks}:", records: "{records}:" };

/**
 * Three masters with two replicas each, on three hosts. The locks are on one master and the records on
 * another one.
 */
export const redisCluster: StoreKind = {
  name: "redis-cluster",
  type: "redis",
  apart: true,
  networked: true,
  byWallClock: true,
  shared: true,
  lasting: true,
  outgrowsLoss: true,
  clustered: { silence: SILENCE, findsAgain: 4 * DEADLINE + 500, staleFor: 0, acknowledgesAlone: true },
  missing: whyNoNamespaces() ?? whyMissing("redis-server"),
  version: () => versionOf("redis-server").replace(/ sha=.*/, ""),
  async start(wishes) {
    const network = await PrivateNetwork.start(networkWishes(HOSTS, wishes));
    try {
      const cluster = await startNodes(network, wishes.folder);
      const nodes = HOSTS.map((host) => ({ host: network.address(host), port: FIRST_PORT }));
      const args = (duty: Duty) => ({ cluster: { nodes }, keyPrefix: PREFIXES[duty], deadline: DEADLINE });
      return {
        args: () => args("locks"),
        directArgs: args("locks"),
        records: { type: "redis", args: args("records") },
        cluster,
        runOn: (worker) => network.on(workerHost(worker)),
        stop: () => network.stop(),
      };
    } catch (error) {
      await network.stop();
      throw error;
    }
  },
};

async function startNodes(network: PrivateNetwork, folder: string): Promise<Cluster> {
  const safe = ["--min-replicas-to-write", "1", "--min-replicas-max-lag", String(MOST_LAG)];
  const args = ["--cluster-enabled", "yes", "--cluster-node-timeout", String(SILENCE), ...safe];
  const onHost = (host: string): ClusterNode[] =>
    HOSTS.map((_, i) => redisServer({ network, host, port: FIRST_PORT + i, folder }, args));
  const nodes = HOSTS.flatMap(onHost);
  await startAll(nodes);
  await join(network, nodes);
  const cluster: Cluster = {
    network,
    nodes,
    hosts: HOSTS,
    on: (host) => nodes.filter((node) => node.host === host),
    main: (duty, without = []) => masterOf(network, nodes, duty, without),
    leads: async (node) => (await replicationOf(network, node)).isMaster,
    isWhole: () => isWhole(network, nodes),
  };
  await eventually("the Cluster works", async () => (await cluster.isWhole()) || undefined);
  return cluster;
}

/** Makes the first node of each host a master, and nodes on the other hosts its replicas. */
async function join(network: PrivateNetwork, nodes: readonly ClusterNode[]): Promise<void> {
  const masters = nodes.filter(({ port }) => port === FIRST_PORT);
  const ids = new Map<ClusterNode, string>();
  const send = (node: ClusterNode, ...words: readonly string[]): Promise<string> =>
    eventually(`${node.name} does ${words.join(" ")}`, () => command(network, node, "CLUSTER", ...words));
  for (const master of masters) ids.set(master, await send(master, "MYID"));
  const [first, ...others] = nodes;
  for (const node of others) await send(node, "MEET", network.address(first?.host ?? ""), String(first?.port));
  await eventually("all nodes know each other", async () => {
    const infos = await Promise.all(nodes.map((node) => command(network, node, "CLUSTER", "INFO")));
    return infos.every((info) => info.includes(`cluster_known_nodes:${nodes.length}`)) || undefined;
  });
  for (const [i, master] of masters.entries()) {
    await command(network, master, "CLUSTER", "ADDSLOTSRANGE", String(BOUNDS[i]), String((BOUNDS[i + 1] ?? 0) - 1));
    // One replica on each of the other hosts: the next port on the first of them, and the one after that on
    // the second.
    const replicas = [1, 2].map((n) => nodes.find(isAt(HOSTS[(i + n) % HOSTS.length], FIRST_PORT + n)));
    for (const replica of replicas) {
      if (replica === undefined) throw new Error("there is no node for a replica");
      await send(replica, "REPLICATE", ids.get(master) ?? "");
    }
  }
}

const isAt =
  (host: string | undefined, port: number) =>
  (node: ClusterNode): boolean =>
    node.host === host && node.port === port;

/**
 * The master of the slot of `duty`, as a node of another host sees it, once it accepts writes: a replica is
 * in sync with it. Rejects while there is none.
 */
async function masterOf(
  network: PrivateNetwork,
  nodes: readonly ClusterNode[],
  duty: Duty,
  without: readonly string[],
): Promise<ClusterNode> {
  const others = nodes.filter(({ host }) => !without.includes(host));
  const slot = Number(
    await Promise.any(others.map((node) => command(network, node, "CLUSTER", "KEYSLOT", PREFIXES[duty]))),
  );
  const found = await Promise.any(others.map((node) => ownerOf(network, nodes, slot, node, without)));
  const { isMaster, replicas } = await replicationOf(network, found);
  if (!isMaster || replicas === 0) throw new Error(`${found.name} has no replica`);
  return found;
}

/**
 * The master of a slot, according to `asked`. Rejects if the Cluster does not work, or if the master is on
 * one of the hosts `without`.
 */
async function ownerOf(
  network: PrivateNetwork,
  nodes: readonly ClusterNode[],
  slot: number,
  asked: ClusterNode,
  without: readonly string[],
): Promise<ClusterNode> {
  const info = await command(network, asked, "CLUSTER", "INFO");
  if (!info.includes("cluster_state:ok")) throw new Error(`${asked.name} says: ${info}`);
  // The lines: id, ip:port@bus[,name], flags, master, ping, pong, epoch, state, slots …
  const lines = (await command(network, asked, "CLUSTER", "NODES")).split("\n").map((line) => line.split(" "));
  for (const [, address = "", flags = "", , , , , , ...slots] of lines) {
    const owns = slots
      .map((range) => range.split("-").map(Number))
      .some(([from = -1, to = from]) => from <= slot && slot <= to);
    if (!owns || !/\bmaster\b/.test(flags) || /fail/.test(flags)) continue;
    const node = nodes.find(({ host, port }) => address.startsWith(`${network.address(host)}:${port}@`));
    if (node !== undefined && !without.includes(node.host)) return node;
  }
  throw new Error(`${asked.name} knows no other master of slot ${slot}`);
}

/** Whether all nodes report that the Cluster works, and each replica is in sync with its master. */
async function isWhole(network: PrivateNetwork, nodes: readonly ClusterNode[]): Promise<boolean> {
  const infos = await Promise.all(nodes.map((node) => command(network, node, "CLUSTER", "INFO")));
  if (!infos.every((info) => info.includes("cluster_state:ok") && info.includes("cluster_slots_ok:16384")))
    return false;
  const all = await Promise.all(nodes.map((node) => replicationOf(network, node)));
  const masters = all.filter(({ isMaster }) => isMaster);
  const replicas = all.filter(({ isMaster, followsLiving }) => !isMaster && followsLiving);
  return masters.length === 3 && replicas.length === 6 && masters.every((master) => master.replicas === 2);
}
