import type { ChildProcess } from "node:child_process";
import { on } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { startOn } from "../host.js";
import { stores } from "../stores.js";

const CHILD = fileURLToPath(new URL("./body.child.ts", import.meta.url));
const JOB = "job";

async function* messagesOf(child: ChildProcess): AsyncGenerator<{ began?: string; fired?: number }, void, undefined> {
  for await (const [message] of on(child, "message")) yield message;
}

/** The times from a call of cancel to the signal of a run on another host, in ms, sorted. */
async function measure(options: JobManagerOptions, trials: number): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "ojm-bench-"));
  const child = startOn("another", folder, CHILD, [JSON.stringify(options), JOB]);
  const times: number[] = [];
  try {
    await using manager = await openJobManager(options);
    let called = 0;
    let cancelled: Promise<unknown> = Promise.resolve();
    for await (const { began, fired } of messagesOf(child)) {
      if (fired !== undefined) {
        times.push(fired - called);
        await cancelled;
      }
      if (times.length === trials) break;
      if (began === undefined) continue;
      // The process of the run learns of it by its watch. The random wait covers all moments of that watch.
      await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 50));
      called = Number(process.hrtime.bigint()) / 1e6;
      cancelled = manager.cancel(began, { reason: "measured", wait: 0 });
    }
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
  return times.sort((a, b) => a - b);
}

const { values } = parseArgs({ options: { only: { type: "string" }, trials: { type: "string", default: "200" } } });
console.log("From a call of cancel to the signal of the run, in a process of another host, in ms.\n");
console.log("store     trials   median      p95      max");
for (const store of stores) {
  if (!["redis", "etcd"].includes(store.name) || (values.only ?? store.name) !== store.name) continue;
  const missing = store.missing();
  if (missing !== undefined) {
    console.log(`${store.name.padEnd(8)} not measured: ${missing}`);
    continue;
  }
  const { options, close } = await store.open();
  try {
    const times = await measure(options, Number(values.trials));
    const at = (part: number): string =>
      (times[Math.ceil(times.length * part) - 1] ?? Number.NaN).toFixed(1).padStart(9);
    console.log(`${store.name.padEnd(8)} ${String(times.length).padStart(7)}${at(0.5)}${at(0.95)}${at(1)}`);
  } finally {
    await close();
  }
}
