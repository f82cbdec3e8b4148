import { modes } from "../scene/events.js";
import type { StoreKind } from "../stores/store.js";
import { clockFaults } from "./clocks.js";
import { clusterFaults } from "./clusters.js";
import { entryFaults } from "./entries.js";
import type { Fault } from "./fault.js";
import { joinedFault } from "./joined.js";
import { networkFaults } from "./network.js";
import { postgresFaults } from "./postgres.js";
import { processFaults } from "./processes.js";
import { storeFaults } from "./stores.js";

const single: readonly Fault[] = [
  ...processFaults,
  ...storeFaults,
  ...networkFaults,
  joinedFault,
  ...entryFaults,
  ...clockFaults,
  ...postgresFaults,
];

/** Three faults in direct succession, whatever the last one left behind. The seed picks them. */
const combination: Fault = {
  name: "combination",
  whyNot: () => undefined,
  async inject(scene) {
    // Leave out the faults that need a special store or process, or end one: they have their own cells.
    const possible = single.filter(
      ({ name, whyNot, smallDisk, fakeClock, plain }) =>
        whyNot(scene.kind, scene.mode) === undefined &&
        !smallDisk &&
        !fakeClock &&
        !plain &&
        !["client SIGTERM", "deploy"].includes(name),
    );
    const kills = ({ name }: Fault): boolean => name === "holder kill -9";
    let left = [...possible];
    for (let i = 0; i < 3; i++) {
      const fault = scene.pick(left);
      left = left.filter((other) => other !== fault && !(kills(fault) && kills(other)));
      scene.note(`combination: ${fault.name}`);
      await fault.inject(scene);
      scene.letGo();
    }
    return { since: scene.now(), names: scene.names };
  },
};

/** All faults of stores of one node, and their combination. */
const ofOneNode: readonly Fault[] = [...single, combination];

/** The faults of processes that stores of several nodes have too. */
const ofAll: readonly Fault[] = processFaults.filter(({ name }) =>
  ["none", "holder stopped, longer", "holder kill -9", "deploy"].includes(name),
);

const ofSeveralNodes: readonly Fault[] = [...ofAll, ...clusterFaults];

/** The faults that a kind of store can have. */
export function faultsOf({ clustered }: Pick<StoreKind, "clustered">): readonly Fault[] {
  return clustered === undefined ? ofOneNode : ofSeveralNodes;
}

/** All faults of all kinds of stores. */
export const faults: readonly Fault[] = [...new Set([...ofOneNode, ...ofSeveralNodes])];

/** The rows of a table of these stores: each fault that one of them can have. */
export function faultsOfAny(kinds: readonly StoreKind[]): Fault[] {
  const possible = (fault: Fault): boolean =>
    kinds.some((kind) => modes.some((mode) => fault.whyNot(kind, mode) === undefined));
  return [...new Set(kinds.flatMap(faultsOf))].filter(possible);
}
