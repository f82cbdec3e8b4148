import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type JobManager, openJobManager } from "@ojm/core";
import { stores } from "../stores.js";

const NAME = "job";

/** The stores that many processes share. */
const SHARED = ["sqlite", "redis", "etcd"];

/** How many waiters, and in how many processes. */
const CROWDS = [
  [10, 1],
  [1_000, 1],
  [1_000, 50],
] as const;

interface Told {
  readonly bodies: readonly (readonly [begin: number, end: number])[];
  readonly failed: number;
}

/** How long the processor time of the idle waiters is measured, in ms. */
const IDLE = 10_000;

const { values } = parseArgs({ options: { only: { type: "string" } } });
console.log("waiters of one name, while somebody has the lock, and once it is given back\n");
console.log("store    waiters  processes   idle, of a core   hand-off in ms: median, p99, max   failed  lock lost");
for (const store of stores) {
  if (!SHARED.includes(store.name) || (values.only !== undefined && values.only !== store.name)) continue;
  const missing = store.missing();
  if (missing !== undefined) {
    console.log(`${store.name.padEnd(8)} not measured: ${missing}`);
    continue;
  }
  for (const [waiters, processes] of CROWDS) {
    const { options, close } = await store.open();
    try {
      await using manager = await openJobManager(options);
      const start = (): ChildProcess =>
        spawn(
          process.execPath,
          [
            ...process.execArgv,
            fileURLToPath(new URL("./waiters.child.ts", import.meta.url)),
            JSON.stringify(options),
            NAME,
            String(waiters / processes),
          ],
          { stdio: ["ignore", "inherit", "inherit", "ipc"] },
        );
      const holder = await manager.start(NAME);
      const children = Array.from({ length: processes }, start);
      const idle = await waitAndMeasure(manager, children, waiters);
      const told = children.map(async (child) => {
        const [message] = (await once(child, "message")) as [Told];
        return message;
      });
      const lost = holder.signal.aborted ? "yes" : "no";
      await holder.end();
      show(store.name, { waiters, processes, idle, lost }, await Promise.all(told));
    } finally {
      await close();
    }
  }
}

/**
 * Waits until all waiters are in the queue. Resolves to the share of a core that they then take, all
 * together.
 */
async function waitAndMeasure(
  manager: JobManager,
  children: readonly ChildProcess[],
  waiters: number,
): Promise<number> {
  for (;;) {
    const [lock] = await manager.locks();
    if (lock?.waiting === waiters) break;
    await sleep(100);
  }
  await sleep(1_000);
  const before = await cpuOf(children);
  await sleep(IDLE);
  return ((await cpuOf(children)) - before) / IDLE;
}

async function cpuOf(children: readonly ChildProcess[]): Promise<number> {
  const all = children.map(async (child) => {
    child.send("cpu");
    const [{ cpu }] = (await once(child, "message")) as [{ cpu: number }];
    return cpu;
  });
  return (await Promise.all(all)).reduce((sum, cpu) => sum + cpu, 0);
}

function show(
  store: string,
  { waiters, processes, idle, lost }: { waiters: number; processes: number; idle: number; lost: string },
  told: readonly Told[],
): void {
  const bodies = told.flatMap((each) => each.bodies).sort(([a], [b]) => a - b);
  const gaps = bodies.slice(1).map(([begin], i) => begin - (bodies[i]?.[1] ?? begin));
  gaps.sort((a, b) => a - b);
  const at = (part: number): string => (gaps[Math.floor(part * (gaps.length - 1))] ?? Number.NaN).toFixed(1);
  const failed = told.reduce((sum, each) => sum + each.failed, 0);
  console.log(
    `${store.padEnd(8)}${String(waiters).padStart(8)}${String(processes).padStart(11)}${`${(100 * idle).toFixed(1)} %`.padStart(18)}   ${`${at(0.5)}, ${at(0.99)}, ${at(1)}`.padEnd(33)}${String(failed).padStart(6)}  ${lost}`,
  );
}
