import { whyMissing } from "@ojm/testing/redis";
import { whyNoNamespaces } from "../../cluster/net/namespaces.js";
import { PrivateNetwork } from "../../cluster/net/network.js";
import { type Cluster, eventually } from "../../cluster/nodes/cluster.js";
import { type ClusterNode, startAll } from "../../cluster/nodes/node.js";
import { command, redisServer, replicationOf, sentinel } from "../../cluster/nodes/redis-node.js";
import { DEADLINE, type StoreKind, versionOf } from "../store.js";
import { networkWishes, workerHost } from "./clustered.js";

const HOSTS = ["n0", "n1", "n2"];
const DATA = 6379;
const SENTINELS = 26379;
const NAME = "main";

/** After this silence, in ms, the Sentinels consider a master dead. */
const SILENCE = 2_000;

/** A Redis server and a Sentinel on each of three hosts. */
const sentinelKind = (waitReplicas: number): StoreKind => ({
  name: "redis-sentinel",
  type: "redis",
  apart: false,
  networked: true,
  byWallClock: true,
  shared: true,
  lasting: true,
  outgrowsLoss: true,
  // A client gives up a silent connection after two deadlines. A connection that it made to a master that had
  // died by then costs two more. A Sentinel lets a master that comes back stay one for eight to ten seconds.
  clustered: { silence: SILENCE, findsAgain: 4 * DEADLINE + 500, staleFor: 10_000, acknowledgesAlone: false },
  missing: whyNoNamespaces() ?? whyMissing("redis-server"),
  version: () => versionOf("redis-server").replace(/ sha=.*/, ""),
  async start(wishes) {
    const network = await PrivateNetwork.start(networkWishes(HOSTS, wishes));
    try {
      const cluster = await startNodes(network, wishes.folder);
      const sentinels = HOSTS.map((host) => ({ host: network.address(host), port: SENTINELS }));
      const args = { sentinels, name: NAME, deadline: DEADLINE, waitReplicas, allowLostWrites: waitReplicas === 0 };
      return {
        args: () => args,
        directArgs: args,
        cluster,
        runOn: (worker) => network.on(workerHost(worker)),
        stop: () => network.stop(),
      };
    } catch (error) {
      await network.stop();
      throw error;
    }
  },
});

/** A write is acknowledged once a replica has it. */
export const redisSentinel: StoreKind = sentinelKind(1);

/**
 * A cut-off master continues alone, so two bodies run. No cell of the matrix uses this store: a test checks
 * that the harness detects it.
 */
export const unsafeSentinel: StoreKind = sentinelKind(0);

async function startNodes(network: PrivateNetwork, folder: string): Promise<Cluster> {
  const [first = "", ...others] = HOSTS;
  const place = (host: string, port: number) => ({ network, host, port, folder });
  const replicaOf = ["--replicaof", network.address(first), String(DATA)];
  const nodes = [
    redisServer(place(first, DATA), []),
    ...others.map((host) => redisServer(place(host, DATA), replicaOf)),
  ];
  const sentinels = HOSTS.map((host) =>
    sentinel(place(host, SENTINELS), [
      `sentinel monitor ${NAME} ${network.address(first)} ${DATA} 2`,
      `sentinel down-after-milliseconds ${NAME} ${SILENCE}`,
      `sentinel failover-timeout ${NAME} 6000`,
      `sentinel parallel-syncs ${NAME} 2`,
    ]),
  );
  await startAll(nodes);
  await startAll(sentinels);
  const cluster: Cluster = {
    network,
    nodes,
    hosts: HOSTS,
    on: (host) => [...nodes, ...sentinels].filter((node) => node.host === host),
    main: (_duty, without = []) => masterOf(network, nodes, sentinels, without),
    leads: async (node) => (await replicationOf(network, node)).isMaster,
    isWhole: () => isWhole(network, nodes, sentinels),
  };
  await eventually("the Sentinels know each other, and the replicas are in step", () => known(cluster, sentinels));
  return cluster;
}

/**
 * The master that the Sentinels on the other hosts name, once a replica is in sync with it: without one it
 * acknowledges nothing. Rejects while there is none.
 */
async function masterOf(
  network: PrivateNetwork,
  nodes: readonly ClusterNode[],
  sentinels: readonly ClusterNode[],
  without: readonly string[],
): Promise<ClusterNode> {
  const asked = sentinels.filter(({ host }) => !without.includes(host));
  const named = await Promise.all(asked.map((each) => namedBy(network, each)));
  const [address] = named;
  if (address === undefined || named.some((each) => each !== address)) throw new Error(`named are ${named.join(", ")}`);
  const master = nodes.find(({ host }) => network.address(host) === address);
  if (master === undefined || without.includes(master.host)) throw new Error(`named is ${address}`);
  const { isMaster, replicas } = await replicationOf(network, master);
  if (!isMaster || replicas === 0) throw new Error(`${master.name} has no replica`);
  return master;
}

async function namedBy(network: PrivateNetwork, node: ClusterNode): Promise<string | undefined> {
  return (await command(network, node, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)).split("\n")[0];
}

/** Whether there is one master that all Sentinels name, and all other nodes are in sync with it. */
async function isWhole(
  network: PrivateNetwork,
  nodes: readonly ClusterNode[],
  sentinels: readonly ClusterNode[],
): Promise<boolean> {
  const master = await masterOf(network, nodes, sentinels, []);
  const { replicas } = await replicationOf(network, master);
  const others = await Promise.all(nodes.filter((node) => node !== master).map((node) => replicationOf(network, node)));
  return replicas === others.length && others.every(({ isMaster, followsLiving }) => !isMaster && followsLiving);
}

async function known(cluster: Cluster, sentinels: readonly ClusterNode[]): Promise<true | undefined> {
  for (const each of sentinels) {
    const facts = (await command(cluster.network, each, "SENTINEL", "MASTER", NAME)).split("\n");
    const fact = (key: string): string | undefined => facts[facts.indexOf(key) + 1];
    const knows = fact("num-other-sentinels") === "2" && fact("num-slaves") === "2" && fact("flags") === "master";
    if (!knows) return undefined;
  }
  return (await cluster.isWhole()) || undefined;
}
