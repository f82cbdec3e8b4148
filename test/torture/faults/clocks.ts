import { able, type Fault, MARGIN, ONE_PROCESS } from "./fault.js";

/** Longer than any time to live, in s. */
const HOUR = 3_600;

function ofWorker(name: string, who: "holder" | "contender", seconds: number): Fault {
  return {
    name,
    fakeClock: "workers",
    whyNot: ({ shared }) => (shared || who === "holder" ? undefined : ONE_PROCESS),
    async inject(scene) {
      const { member } = await scene.hold(1.5 * scene.ttl);
      const target = who === "holder" ? member : await scene.claim(member);
      // gRPC measures the deadline of a call by the wall clock: a jump ahead ends the calls in progress.
      const over = scene.kind.type === "etcd" && seconds > 0 ? scene.trouble(target) : () => {};
      scene.note(`the wall clock of worker ${target.index} jumps by ${seconds} s`);
      target.setWallClock(seconds);
      scene.isClockWrong = true;
      scene.isSetBack ||= seconds < 0;
      const jumped = ({ wall }: { readonly wall: number }): boolean => Math.abs(wall - Date.now()) > 1_800_000;
      await scene.until(() => target.all("asked").some(jumped), "the wall clock has jumped");
      over();
      await scene.sleep(2 * scene.ttl);
      return undefined;
    },
  };
}

/**
 * Sets the wall clock of the server, where it ends sessions. A jump ahead ends all sessions at once. A jump
 * back must end no session early.
 */
function ofServer(name: string, seconds: number): Fault {
  return {
    name,
    fakeClock: "server",
    whyNot: ({ byWallClock }) => (byWallClock ? undefined : "n/a: no wall clock of a server ends a session"),
    async inject(scene) {
      const { run } = await scene.hold(4 * scene.ttl);
      const from = scene.note(`the wall clock of the server jumps by ${seconds} s`);
      await able(scene, "setWallClock")(seconds);
      const to = scene.note("the wall clock of the server has jumped");
      if (seconds > 0) scene.excuses.push({ from, to });
      await scene.sleep(2 * scene.ttl);
      return seconds > 0 ? { since: to, names: [run.name], bound: scene.ttl + MARGIN } : undefined;
    },
  };
}

/** Faults of wall clocks. */
export const clockFaults: readonly Fault[] = [
  ofWorker("wall clock +1 h on the holder", "holder", HOUR),
  ofWorker("wall clock -1 h on the holder", "holder", -HOUR),
  ofWorker("wall clock +1 h on a contender", "contender", HOUR),
  ofWorker("wall clock -1 h on a contender", "contender", -HOUR),
  ofServer("wall clock +1 h on the server", HOUR),
  ofServer("wall clock -1 h on the server", -HOUR),
];
