import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { type Host, startOn } from "../host.js";
import { stores } from "../stores.js";

const CHILD = fileURLToPath(new URL("./holder.child.ts", import.meta.url));
const TTL = 3_000;
/** How many trials run at the same time, each with its own name, holder and waiter. */
const AT_ONCE = 5;

/**
 * Resolves to the time from the death of a holder to the start of its waiter, in ms. The holder dies `ms`
 * after the waiter began to wait.
 */
async function trial(
  { host, ms, job }: { readonly host: Host; readonly ms: number; readonly job: string },
  folder: string,
  options: JobManagerOptions,
): Promise<number> {
  const holder = startOn(host, folder, CHILD, [JSON.stringify(options), job]);
  await once(holder, "message");
  await using manager = await openJobManager(options);
  const started = manager.run(job, () => performance.now(), { wait: 600_000 });
  while ((await manager.heldLocks()).find(({ name }) => name === job)?.waiting !== 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await new Promise((resolve) => setTimeout(resolve, ms));
  const killed = performance.now();
  holder.kill("SIGKILL");
  const { result } = await started;
  return result - killed;
}

async function measure(host: Host, options: JobManagerOptions, trials: number): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "ojm-bench-"));
  const times: number[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < trials) {
      const job = `${host} ${next++}`;
      // Spread the deaths over the heartbeat, and over what the other processes know of it.
      times.push(await trial({ host, ms: (2 * TTL * next) / trials, job }, folder, options));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  rmSync(folder, { recursive: true });
  return times.sort((a, b) => a - b);
}

const { values } = parseArgs({ options: { only: { type: "string" }, trials: { type: "string", default: "100" } } });
console.log(
  `From kill -9 of a holder to the start of the run that waits for its lock, in ms. Time to live: ${TTL} ms.\n`,
);
console.log("store    host      trials   median      p95      max");
for (const store of stores) {
  if (!["sqlite", "redis", "etcd"].includes(store.name) || (values.only ?? store.name) !== store.name) continue;
  const missing = store.missing();
  if (missing !== undefined) {
    console.log(`${store.name.padEnd(8)} not measured: ${missing}`);
    continue;
  }
  const { options, close } = await store.open();
  try {
    // SQLite serves the processes of one host.
    for (const host of store.name === "sqlite" ? (["same"] as const) : (["same", "another"] as const)) {
      const times = await measure(host, { ...options, ttl: TTL }, Number(values.trials));
      const at = (part: number): string =>
        String(Math.round(times[Math.ceil(times.length * part) - 1] ?? Number.NaN)).padStart(9);
      console.log(
        `${store.name.padEnd(8)} ${host.padEnd(8)} ${String(times.length).padStart(7)}${at(0.5)}${at(0.95)}${at(1)}`,
      );
    }
  } finally {
    await close();
  }
}
