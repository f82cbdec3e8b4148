import { postgresMissing, postgresVersion } from "@ojm/testing/postgres";
import { whyNoNamespaces } from "../../cluster/net/namespaces.js";
import { PrivateNetwork } from "../../cluster/net/network.js";
import { type Cluster, eventually } from "../../cluster/nodes/cluster.js";
import { Failover } from "../../cluster/nodes/failover.js";
import { PostgresNode } from "../../cluster/nodes/postgres-node.js";
import { newDatabase } from "../postgres.js";
import { DEADLINE, type StoreKind } from "../store.js";
import { networkWishes, workerHost } from "./clustered.js";

const HOSTS = ["n0", "n1", "n2"];

/** After this silence of the primary, in ms, a replica is promoted. */
const SILENCE = 2_000;

/** A primary and two replicas, one of which must have a commit before it is acknowledged. */
export const postgresReplicas: StoreKind = {
  name: "postgres-replicas",
  type: "postgres",
  apart: false,
  networked: true,
  byWallClock: true,
  shared: true,
  lasting: true,
  outgrowsLoss: true,
  // A call on a silent connection, and one that connects to the old primary. A primary that comes back
  // reports changes that it cannot acknowledge, until it becomes a replica.
  clustered: { silence: SILENCE, findsAgain: 2 * DEADLINE + 500, staleFor: 3_000, acknowledgesAlone: false },
  missing: whyNoNamespaces() ?? postgresMissing(),
  version: () => `PostgreSQL ${postgresVersion()}`,
  async start(wishes) {
    const network = await PrivateNetwork.start(networkWishes(HOSTS, wishes));
    try {
      const { cluster, failover } = await startNodes(network, wishes.folder);
      const args = { url: `postgres://ojm@${network.floating}:5432/postgres`, deadline: DEADLINE };
      return {
        args: () => args,
        directArgs: args,
        cluster,
        runOn: (worker) => network.on(workerHost(worker)),
        async stop() {
          await failover.stop();
          await network.stop();
        },
      };
    } catch (error) {
      await network.stop();
      throw error;
    }
  },
};

async function startNodes(
  network: PrivateNetwork,
  folder: string,
): Promise<{ readonly cluster: Cluster; readonly failover: Failover }> {
  const template = await newDatabase();
  const nodes = HOSTS.map((host) => new PostgresNode({ network, host, folder, hosts: HOSTS, template }));
  const [first, ...replicas] = nodes;
  network.float(first?.host);
  await first?.start();
  for (const node of replicas) {
    node.becomeReplica();
    await node.start();
  }
  const failover = new Failover(network, nodes, SILENCE);
  const replicasOf = async (without: readonly string[]): Promise<number> => {
    const { primary } = failover;
    if (without.includes(primary.host)) throw new Error(`${primary.name} is still the primary`);
    const { isStandby, replicas } = await primary.state();
    return isStandby ? 0 : replicas;
  };
  const cluster: Cluster = {
    network,
    nodes,
    hosts: HOSTS,
    on: (host) => nodes.filter((node) => node.host === host),
    async main(_duty, without = []) {
      if ((await replicasOf(without)) === 0) throw new Error(`${failover.primary.name} has no replica`);
      return failover.primary;
    },
    leads: async (node) => !(await nodes.find((each) => each === node)?.state())?.isStandby,
    isWhole: async () => (await replicasOf([])) === replicas.length,
  };
  await eventually("the replicas follow", async () => (await cluster.isWhole()) || undefined);
  return { cluster, failover };
}
