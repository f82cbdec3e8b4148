import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startRedis } from "@ojm/testing/redis";
import type { Contestant } from "./contestant.js";
import { contestants } from "./contestants.js";
import { BLOCKED, faults } from "./faults.js";
import type { HolderReport } from "./holder.child.js";

const CHILD = fileURLToPath(new URL("./holder.child.ts", import.meta.url));
/** The longest that a body stays inside if its signal does not fire, in ms. */
const STAY = 15_000;

interface Process {
  readonly child: ChildProcess;
  readonly moments: Partial<Record<HolderReport["type"], number>>;
  /** When the lease ended, for a process whose signal fired. */
  leaseEnd(): number | undefined;
  happens(type: HolderReport["type"], within?: number): Promise<boolean>;
}

function start(name: string, url: string): Process {
  const node = ["--import", "tsx", CHILD, name, url, String(STAY)];
  const child = spawn(process.execPath, node, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const moments: Process["moments"] = {};
  let leaseEnd: number | undefined;
  child.on("message", (report: HolderReport) => {
    moments[report.type] ??= report.at;
    leaseEnd ??= report.leaseEnd;
  });
  const happens = async (type: HolderReport["type"], within = 30_000): Promise<boolean> => {
    const end = Date.now() + within;
    while (moments[type] === undefined && child.exitCode === null && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return moments[type] !== undefined;
  };
  return { child, moments, leaseEnd: () => leaseEnd, happens };
}

interface Result {
  /** When the holder's signal fired, in ms after the fault struck; `undefined` for never. */
  readonly signalled: number | undefined;
  /**
   * The same in ms after the end of its lease, less than 0 for before it; `undefined` if that is not known.
   */
  readonly afterLease: number | undefined;
  /**
   * How long two bodies were inside while the signal of the first had not fired, in ms; `undefined` for not
   * at all.
   */
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
    // Wait for a whole renewal, so that the lock is in its usual state.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const struck = (await faults[fault]?.({ contestant, server, holder: first.child })) ?? Number.NaN;
    await first.happens("leave");
    const { signalled, leave = Number.POSITIVE_INFINITY } = first.moments;
    const enter = second.moments.enter;
    const leaseEnd = first.leaseEnd();
    // A second body that enters only after the signal of the first, or after its exit, was never beside it.
    const together = enter === undefined ? 0 : Math.min(signalled ?? leave, leave) - enter;
    return {
      signalled: signalled === undefined ? undefined : signalled - struck,
      afterLease: signalled === undefined || leaseEnd === undefined ? undefined : signalled - leaseEnd,
      overlap: together > 0 ? together : undefined,
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

function ms(time: number | undefined, otherwise: string): string {
  return time === undefined ? otherwise : `${time.toFixed(2)} ms`;
}

/**
 * When the holder's signal fired, as text. A holder that kept its lock, without a second body beside it,
 * needed no signal.
 */
function signalText(contestant: Contestant, fault: string, { signalled, overlap }: Result): string {
  const kept = fault === BLOCKED && contestant.keptByThread === true && overlap === undefined;
  return ms(signalled, kept ? "never: kept by a thread" : "never");
}

console.log(`Redis, time to live 3 s, a second process waiting for the lock. Times in ms: when the body was signalled, after the fault struck and after the lease's end, which
is when the last renewal that was answered was sent, and the time to live (ours alone; less than 0: before it). Two inside: for how long two bodies
ran, the first without a signal; none: the second did not begin while the first ran without a signal.\n`);
console.log(
  `${"fault".padEnd(28)}${"".padEnd(18)}${"signalled after".padEnd(25)}${"after lease's end".padEnd(20)}two inside, the first without a signal`,
);
for (const fault of Object.keys(faults)) {
  for (const [name, contestant] of Object.entries(contestants)) {
    const result = await trial(name, contestant, fault);
    const signalled = signalText(contestant, fault, result);
    const row = [fault.padEnd(28), name.padEnd(18), signalled.padEnd(25), ms(result.afterLease, "-").padEnd(20)];
    console.log(row.join("") + ms(result.overlap, "none"));
  }
}
