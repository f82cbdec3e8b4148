import type { Harm } from "../events.js";
import { type Fault, MARGIN } from "./fault.js";

function harm(name: string, what: Harm): Fault {
  return {
    name,
    whyNot: () => undefined,
    async inject(scene) {
      const { run } = await scene.hold(4 * scene.ttl);
      const since = scene.now();
      await scene.harm(what, run.name);
      return { since, names: [run.name], bound: MARGIN };
    },
  };
}

/** What happens to the entries in the store. */
export const entryFaults: readonly Fault[] = [
  harm("lock entry deleted", "delete lock"),
  harm("lock entry overwritten", "overwrite lock"),
  harm("session entry deleted", "delete session"),
];
