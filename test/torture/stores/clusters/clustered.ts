import type { NetworkOptions } from "../../cluster/net/network.js";
import type { StoreWishes } from "../store.js";

/** The host of a worker. */
export function workerHost(worker: number): string {
  return `w${worker}`;
}

/** A network of these hosts and those of the workers, whose links can be slow if that is wished for. */
export function networkWishes(hosts: readonly string[], { workers, slowNetwork, folder }: StoreWishes): NetworkOptions {
  const ofWorkers = Array.from({ length: workers }, (_, worker) => workerHost(worker));
  return { hosts: [...hosts, ...ofWorkers], ...(slowNetwork && { slow: { hosts: ofWorkers, folder } }) };
}
