import type { StoreKind } from "../stores/store.js";
import { clockFaults } from "./clocks.js";
import { clusterFaults } from "./clusters.js";
import { entryFaults } from "./entries.js";
import type { Fault } from "./fault.js";
import { networkFaults } from "./network.js";
import { processFaults } from "./processes.js";
import { storeFaults } from "./stores.js";

const single: readonly Fault[] = [...processFaults, ...storeFaults, ...networkFaults, ...entryFaults, ...clockFaults];

/**
 * Three faults, one right after the other, whatever the last one has left behind. Which ones, the seed
 * decides.
 */
const combination: Fault = {
  name: "combination",
  whyNot: () => undefined,
  async inject(scene) {
    // What needs a store or a process of its own making, or ends one, is left to the cells of its own.
    const possible = single.filter(
      ({ name, whyNot, smallDisk, fakeClock, plain }) =>
        whyNot(scene.kind, scene.mode) === undefined && !smallDisk && !fakeClock && !plain && name !== "client SIGTERM",
    );
    const kills = ({ name }: Fault): boolean => name === "holder kill -9";
    let left = [...possible];
    for (let i = 0; i < 3; i++) {
      const fault = scene.pick(left);
      left = left.filter((other) => other !== fault && !(kills(fault) && kills(other)));
      scene.note(`combination: ${fault.name}`);
      await fault.inject(scene);
    }
    return { since: scene.now(), names: scene.names };
  },
};

/** All faults of stores of one node, and the combinations of them. */
const ofOneNode: readonly Fault[] = [...single, combination];

/** Those of processes, which have stores of several nodes too. */
const ofAll: readonly Fault[] = processFaults.filter(({ name }) =>
  ["none", "holder stopped, longer", "holder kill -9"].includes(name),
);

const ofSeveralNodes: readonly Fault[] = [...ofAll, ...clusterFaults];

/** The faults that a kind of store can have. */
export function faultsOf({ clustered }: Pick<StoreKind, "clustered">): readonly Fault[] {
  return clustered === undefined ? ofOneNode : ofSeveralNodes;
}

/** All faults of all kinds of stores. */
export const faults: readonly Fault[] = [...new Set([...ofOneNode, ...ofSeveralNodes])];
