import type { Harm } from "../scene/events.js";
import { type Fault, MARGIN, strikeHolder } from "./fault.js";

function harm(name: string, what: Harm): Fault {
  return {
    name,
    whyNot: () => undefined,
    async inject(scene) {
      let since = 0;
      const { run } = await strikeHolder(scene, 4 * scene.ttl, ({ run }) => {
        since = scene.now();
        return scene.harm(what, run.name);
      });
      return { since, names: [run.name], bound: MARGIN };
    },
  };
}

/** Faults of the entries in the store. */
export const entryFaults: readonly Fault[] = [
  harm("lock entry deleted", "delete lock"),
  harm("lock entry overwritten", "overwrite lock"),
  harm("session entry deleted", "delete session"),
];
