import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startRedis } from "../../../redis/src/testing/servers.js";
import { type Contestant, contestants } from "./contestants.js";
import { faults } from "./faults.js";
import type { Told } from "./holder.child.js";

const CHILD = fileURLToPath(new URL("./holder.child.ts", import.meta.url));
/** The longest that a body stays inside when nobody tells it to stop, in ms. */
const STAY = 15_000;

interface Process {
  readonly child: ChildProcess;
  readonly moments: Partial<Record<Told["type"], number>>;
  happens(type: Told["type"], within?: number): Promise<boolean>;
}

function start(name: string, url: string): Process {
  const node = ["--import", "tsx", CHILD, name, url, String(STAY)];
  const child = spawn(process.execPath, node, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const moments: Process["moments"] = {};
  child.on("message", ({ type, at }: Told) => {
    moments[type] ??= at;
  });
  const happens = async (type: Told["type"], within = 30_000): Promise<boolean> => {
    const end = Date.now() + within;
    while (moments[type] === undefined && child.exitCode === null && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return moments[type] !== undefined;
  };
  return { child, moments, happens };
}

interface Result {
  /** When the holder's body was told, in ms after the fault began; `undefined` for never. */
  readonly told: number | undefined;
  /** How long two bodies were inside, the first one not told, in ms; `undefined` where no second one came. */
  readonly overlap: number | undefined;
}

async function trial(name: string, contestant: Contestant, fault: string): Promise<Result> {
  const server = await startRedis();
  const first = start(name, server.url);
  let second: Process | undefined;
  try {
    if (!(await first.happens("enter"))) throw new Error(`${name} got no lock`);
    second = start(name, server.url);
    await second.happens("waiting");
    // A whole renewal, so that the lock is in its usual state.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const began = Number(process.hrtime.bigint()) / 1e6;
    await faults[fault]?.({ contestant, server, holder: first.child });
    await first.happens("leave");
    const { told, leave = Number.POSITIVE_INFINITY } = first.moments;
    const enter = second.moments.enter;
    return {
      told: told === undefined ? undefined : told - began,
      overlap: enter === undefined ? undefined : Math.max(0, Math.min(told ?? leave, leave) - enter),
    };
  } finally {
    for (const { child } of second === undefined ? [first] : [first, second]) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    }
    await server.stop();
  }
}

function seconds(ms: number | undefined, otherwise: string): string {
  return ms === undefined ? otherwise : `${(ms / 1_000).toFixed(2)} s`;
}

console.log("Redis, time to live 3 s, a second process waiting for the lock.\n");
console.log(`${"fault".padEnd(28)}${"".padEnd(18)}body told after   two inside, the first not told`);
for (const fault of Object.keys(faults)) {
  for (const [name, contestant] of Object.entries(contestants)) {
    const { told, overlap } = await trial(name, contestant, fault);
    console.log(`${fault.padEnd(28)}${name.padEnd(18)}${seconds(told, "never").padEnd(18)}${seconds(overlap, "none")}`);
  }
}
