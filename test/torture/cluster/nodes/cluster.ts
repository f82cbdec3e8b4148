import type { PrivateNetwork } from "../net/network.js";
import type { ClusterNode } from "./node.js";

/** What a main node is responsible for: the locks, or the records of runs. */
export type Duty = "locks" | "records";

/** The nodes of a store on their private network, and queries of their state. */
export interface Cluster {
  readonly network: PrivateNetwork;
  /** The nodes that store data. A host may have several. */
  readonly nodes: readonly ClusterNode[];
  /** All processes of a host. */
  on(host: string): readonly ClusterNode[];
  /** The hosts of all nodes. */
  readonly hosts: readonly string[];
  /**
   * The leader or master without which no write is acknowledged now, as the hosts other than `without` see
   * it. Rejects while there is none.
   */
  main(duty: Duty, without?: readonly string[]): Promise<ClusterNode>;
  /** Whether a node believes that it leads. */
  leads(node: ClusterNode): Promise<boolean>;
  /** Whether all nodes are in sync again, and the cluster would survive the loss of another one. */
  isWhole(): Promise<boolean>;
}

/** The pause between two queries of the nodes, in ms. */
const PAUSE = 25;

/** How long to wait for a cluster to reach a state, in ms. Only a failing cluster takes this long. */
const PATIENCE = 90_000;

/**
 * Repeats `ask` until it resolves to a value. Throws after {@link PATIENCE} ms, with the last rejection as
 * the cause.
 */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE;
  for (let last: unknown; ; ) {
    try {
      const found = await ask();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`still not so after ${PATIENCE} ms: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
