import type { PrivateNetwork } from "../net/network.js";
import type { ClusterNode } from "./node.js";

/** What a main node decides on: the locks, or the records of runs. */
export type Duty = "locks" | "records";

/** The nodes of a store, each on a host of its own network, and what can be known of them. */
export interface Cluster {
  readonly network: PrivateNetwork;
  /** Those that keep data; on each host there may be several. */
  readonly nodes: readonly ClusterNode[];
  /** All processes of a host. */
  on(host: string): readonly ClusterNode[];
  /** The hosts of all nodes. */
  readonly hosts: readonly string[];
  /**
   * The node without which no write is acknowledged now, as the hosts other than those named tell: a leader
   * or a master. Rejects while there is none.
   */
  main(duty: Duty, without?: readonly string[]): Promise<ClusterNode>;
  /** Whether a node takes itself for the one that decides. */
  leads(node: ClusterNode): Promise<boolean>;
  /** Whether all its nodes are in step again, and it would survive the loss of another one. */
  isWhole(): Promise<boolean>;
}

/** How often the nodes are asked how they are, in ms. */
const PAUSE = 25;

/** How long a cluster may take until it does what clusters do, in ms. Only one that fails takes so long. */
const PATIENCE = 90_000;

/** Waits until `ask` resolves to something. What it rejects with is told if it never does. */
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
