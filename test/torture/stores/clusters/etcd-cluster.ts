import { join } from "node:path";
import { etcdMissing } from "@ojm/testing/etcd";
import { whyNoNamespaces } from "../../cluster/net/namespaces.js";
import { PrivateNetwork } from "../../cluster/net/network.js";
import { type Cluster, eventually } from "../../cluster/nodes/cluster.js";
import { ClusterNode, startAll } from "../../cluster/nodes/node.js";
import { DEADLINE, type StoreKind, versionOf } from "../store.js";
import { networkWishes, workerHost } from "./clustered.js";

const HOSTS = ["n0", "n1", "n2"];
const CLIENTS = 2379;
const PEERS = 2380;

/**
 * The heartbeat interval, and the election timeout: a node that has not heard of the leader for that long
 * asks to become it. In ms.
 */
const HEARTBEAT = 100;
const ELECTION = 1_000;

/** Three nodes, each on a host of its own. */
export const etcdCluster: StoreKind = {
  name: "etcd-cluster",
  type: "etcd",
  apart: false,
  networked: true,
  byWallClock: false,
  shared: true,
  lasting: true,
  outgrowsLoss: false,
  // A client gives up a write after 2.5 s, and asks each node for up to a second whether it has a quorum.
  clustered: { silence: ELECTION, findsAgain: 2_500 + 2 * DEADLINE, staleFor: 0, acknowledgesAlone: false },
  missing: whyNoNamespaces() ?? etcdMissing(),
  version: () => versionOf("etcd"),
  async start(wishes) {
    const network = await PrivateNetwork.start(networkWishes(HOSTS, wishes));
    try {
      const cluster = await startNodes(network, wishes.folder);
      const hosts = HOSTS.map((host) => `${network.address(host)}:${CLIENTS}`).join(",");
      const args = { hosts, deadline: DEADLINE };
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
};

async function startNodes(network: PrivateNetwork, folder: string): Promise<Cluster> {
  const url = (host: string, port: number): string => `http://${network.address(host)}:${port}`;
  const peers = HOSTS.map((host) => `${host}=${url(host, PEERS)}`).join(",");
  const nodes = HOSTS.map((host) => {
    const [clientUrl, peerUrl] = [url(host, CLIENTS), url(host, PEERS)];
    const command = [
      ...network.on(host),
      ...["etcd", "--name", host, "--data-dir", join(folder, host), "--log-level", "info", "--unsafe-no-fsync"],
      ...["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl],
      ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl, "--initial-cluster", peers],
      ...["--heartbeat-interval", String(HEARTBEAT), "--election-timeout", String(ELECTION)],
    ];
    return new ClusterNode({ name: `etcd on ${host}`, host, port: CLIENTS, command, ready: /ready to serve client/ });
  });
  await startAll(nodes);
  const cluster: Cluster = {
    network,
    nodes,
    hosts: HOSTS,
    on: (host) => nodes.filter((node) => node.host === host),
    main: (_duty, without = []) => leaderOf(network, nodes, without),
    leads: (node) => leads(network, node),
    isWhole: () => isWhole(network, nodes),
  };
  await eventually("etcd has a leader", () => cluster.main("locks"));
  return cluster;
}

interface Status {
  readonly header: { readonly member_id: string };
  readonly leader?: string;
  readonly raftIndex?: string;
  readonly raftAppliedIndex?: string;
  readonly raftTerm?: string;
}

async function ask<T>(network: PrivateNetwork, { host, port }: ClusterNode, path: string, body: object): Promise<T> {
  const response = await fetch(`http://${network.address(host)}:${port}/v3/${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(DEADLINE),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${host}: ${text}`);
  return JSON.parse(text) as T;
}

const statusOf = (network: PrivateNetwork, node: ClusterNode): Promise<Status> =>
  ask(network, node, "maintenance/status", {});

async function leads(network: PrivateNetwork, node: ClusterNode): Promise<boolean> {
  const { header, leader } = await statusOf(network, node);
  return leader === header.member_id;
}

/**
 * The node that claims to lead, and answers a read that only a leader with a quorum can answer. Rejects if
 * there is none.
 */
async function leaderOf(
  network: PrivateNetwork,
  nodes: readonly ClusterNode[],
  without: readonly string[],
): Promise<ClusterNode> {
  const others = nodes.filter(({ host }) => !without.includes(host));
  return Promise.any(
    others.map(async (node) => {
      if (!(await leads(network, node))) throw new Error(`${node.name} does not lead`);
      await ask(network, node, "kv/range", { key: Buffer.from("ready?").toString("base64") });
      return node;
    }),
  );
}

/** Whether all nodes know the same leader, and no node lags behind by more than a few entries. */
async function isWhole(network: PrivateNetwork, nodes: readonly ClusterNode[]): Promise<boolean> {
  const all = await Promise.all(nodes.map((node) => statusOf(network, node)));
  const leaders = new Set(all.map(({ leader, raftTerm }) => `${leader} ${raftTerm}`));
  const indexes = all.map(({ raftAppliedIndex }) => Number(raftAppliedIndex));
  return leaders.size === 1 && all[0]?.leader !== undefined && Math.max(...indexes) - Math.min(...indexes) < 50;
}
