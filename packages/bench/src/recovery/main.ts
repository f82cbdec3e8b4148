import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { stores } from "../stores.js";

const CHILD = fileURLToPath(new URL("./holder.child.ts", import.meta.url));
const TTL = 3_000;
/** How many trials run at the same time, each with its own name, holder and waiter. */
const AT_ONCE = 5;

/** Where the holder runs. A process of "another" host sees another boot id. */
type Host = "same" | "another";

function startHolder(host: Host, folder: string, options: JobManagerOptions, job: string): ChildProcess {
  const node = [process.execPath, "--import", "tsx", CHILD, JSON.stringify(options), job];
  const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
  if (host === "same") return spawn(node[0] ?? "", node.slice(1), { stdio: [...stdio] });
  // Give each holder its own host: processes of one host would find out about each other.
  const file = join(folder, job.replace(" ", "-"));
  writeFileSync(file, `${randomUUID()}\n`);
  const bind = `mount --bind ${file} /proc/sys/kernel/random/boot_id && exec "$@"`;
  return spawn("unshare", ["--mount", "sh", "-c", bind, "sh", ...node], { stdio: [...stdio] });
}

/**
 * Resolves to the time from the death of a holder to the start of its waiter, in ms. The holder dies `ms`
 * after the waiter began to wait.
 */
async function trial(
  { host, ms, job }: { readonly host: Host; readonly ms: number; readonly job: string },
  folder: string,
  options: JobManagerOptions,
): Promise<number> {
  const holder = startHolder(host, folder, options, job);
  await once(holder, "message");
  await using manager = await openJobManager(options);
  const started = manager.run(job, () => performance.now(), { wait: 600_000 });
  while ((await manager.locks()).find(({ name }) => name === job)?.waiting !== 1) {
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
