import type { PrivateNetwork } from "../net/network.js";
import { eventually } from "./cluster.js";
import type { PostgresNode, PostgresState } from "./postgres-node.js";

/** The pause between two looks at the servers, in ms. */
const PAUSE = 100;

/**
 * Does what an operator, or a program such as Patroni, does with three PostgreSQL servers: it promotes a
 * replica once the primary has been silent for long, and gives it the address of the clients. A server that
 * was the primary before becomes a replica once it can be reached again.
 */
export class Failover {
  readonly #network: PrivateNetwork;
  readonly #nodes: readonly PostgresNode[];
  readonly #silence: number;
  #primary: PostgresNode;
  #silentSince: number | undefined;
  #isOver = false;
  readonly #done: Promise<void>;

  /** `silence`: after how many ms the primary counts as dead. */
  constructor(network: PrivateNetwork, nodes: readonly PostgresNode[], silence: number) {
    const [first] = nodes;
    if (first === undefined) throw new Error("there are no servers");
    this.#network = network;
    this.#nodes = nodes;
    this.#silence = silence;
    this.#primary = first;
    this.#done = this.#run();
  }

  get primary(): PostgresNode {
    return this.#primary;
  }

  get #others(): PostgresNode[] {
    return this.#nodes.filter((node) => node !== this.#primary);
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await this.#look().catch(() => {}); // the next look tries again
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  async #look(): Promise<void> {
    const states = new Map<PostgresNode, PostgresState>();
    await Promise.all(
      this.#nodes.map(async (node) => {
        const state = this.#network.isApart(node.host) ? undefined : await node.state().catch(() => undefined);
        if (state !== undefined) states.set(node, state);
      }),
    );
    const now = performance.now();
    this.#silentSince = states.has(this.#primary) ? undefined : (this.#silentSince ?? now);
    const isDead = this.#silentSince !== undefined && now - this.#silentSince > this.#silence;
    if (isDead && this.#others.every((node) => states.has(node))) await this.#promote();
    for (const node of this.#others) if (states.get(node)?.isStandby === false) await this.#demote(node);
  }

  async #promote(): Promise<void> {
    const candidates = this.#others;
    this.#primary.setStale();
    // Without its address, the old primary gets no more acknowledgements from those that must choose now.
    this.#network.float(undefined);
    const states = await eventually("no replica follows the old primary", async () => {
      const all = await Promise.all(candidates.map(async (node) => ({ node, ...(await node.state()) })));
      return all.every(({ follows }) => !follows) ? all : undefined;
    });
    const [best] = states.sort((one, other) => other.has - one.has);
    if (best === undefined) return;
    this.#network.float(best.node.host);
    await best.node.promote();
    this.#primary = best.node;
    this.#silentSince = undefined;
  }

  /** A server that was the primary comes back with a copy of the new one. */
  async #demote(node: PostgresNode): Promise<void> {
    this.#network.float(this.#primary.host);
    await node.kill();
    await eventually(`${node.name} is a replica`, () => node.start().then(() => true));
  }

  /** Resolves once it does nothing more. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }
}
