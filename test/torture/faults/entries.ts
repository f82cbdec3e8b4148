import type { Harm } from "../events.js";
import { type Fault, MARGIN, ONE_PROCESS } from "./fault.js";

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

function wallClock(name: string, who: "holder" | "contender", seconds: number): Fault {
  return {
    name,
    fakeClock: true,
    whyNot: ({ shared }) => (shared || who === "holder" ? undefined : ONE_PROCESS),
    async inject(scene) {
      const { member } = await scene.hold(1.5 * scene.ttl);
      const target = who === "holder" ? member : scene.pick(scene.living.filter((other) => other !== member));
      scene.note(`the wall clock of worker ${target.index} jumps by ${seconds} s`);
      target.setWallClock(seconds);
      const jumped = ({ wall }: { readonly wall: number }): boolean => Math.abs(wall - Date.now()) > 1_800_000;
      await scene.until(() => target.all("asked").some(jumped), "the wall clock has jumped");
      await scene.sleep(2 * scene.ttl);
      return undefined;
    },
  };
}

/** What happens to the entries in the store, and to the clocks. */
export const entryFaults: readonly Fault[] = [
  harm("lock entry deleted", "delete lock"),
  harm("lock entry overwritten", "overwrite lock"),
  harm("session entry deleted", "delete session"),
  wallClock("wall clock +1 h on the holder", "holder", 3_600),
  wallClock("wall clock -1 h on the holder", "holder", -3_600),
  wallClock("wall clock +1 h on a contender", "contender", 3_600),
  wallClock("wall clock -1 h on a contender", "contender", -3_600),
];
