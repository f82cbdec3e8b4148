import type { NetworkOptions } from "../../cluster/net/network.js";
import type { StoreWishes } from "../store.js";

/** The name of a worker's host. */
export function workerHost(worker: number): string {
  return `w${worker}`;
}

/**
 * The options of a network with these hosts and the hosts of the workers. With `slowNetwork`, the links of
 * the workers can be slow.
 */
export function networkWishes(hosts: readonly string[], { workers, slowNetwork, folder }: StoreWishes): NetworkOptions {
  const ofWorkers = Array.from({ length: workers }, (_, worker) => workerHost(worker));
  return { hosts: [...hosts, ...ofWorkers], ...(slowNetwork && { slow: { hosts: ofWorkers, folder } }) };
}
