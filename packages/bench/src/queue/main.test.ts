import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tsArgs } from "@ojm/testing/programs";
import { whyMissing } from "@ojm/testing/redis";
import { expect, it, onTestFinished } from "vitest";
import type { QueueResult } from "./lines.js";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

/** Calls the benchmark, without the libraries of others. */
async function bench(...args: readonly string[]): Promise<QueueResult> {
  const folder = mkdtempSync(join(tmpdir(), "ojm-queue-bench-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "result.json");
  const small = ["--quick", "--rounds", "1", "--against", "ojm", "--json", file];
  await promisify(execFile)(process.execPath, [...tsArgs(), MAIN, ...small, ...args]);
  return JSON.parse(readFileSync(file, "utf8")) as QueueResult;
}

it("a small run measures the items of a real store, alone and beside others that wait", async () => {
  const args = ["--only", "sqlite", "--what", "items,waiting", "--items", "400", "--waiting", "10,200"];
  const { items, waiting } = await bench(...args);
  expect(items.map(({ work }) => work.load)).toEqual([
    { what: "work", width: 1 },
    { what: "work", width: 32 },
    { what: "work", width: 1, batch: 100 },
  ]);
  const results = [...items, ...waiting.map(({ result }) => result)];
  for (const { add, work, both } of results) {
    for (const [i, { rounds }] of both.measured.entries()) {
      const parts = (add.measured[i]?.rounds[0]?.client ?? 0) + (work.measured[i]?.rounds[0]?.client ?? 0);
      expect(parts).toBeGreaterThan(0);
      expect(rounds.map(({ client }) => client)).toEqual([parts]);
    }
  }
  expect(waiting[0]?.result.work.measured.map(({ contestant }) => contestant)).toEqual(["10 waiting", "200 waiting"]);
});

it.skipIf(whyMissing("redis-server") !== undefined)("a small run counts the calls of idle workers", async () => {
  const { workers } = await bench("--only", "redis", "--what", "workers", "--workers", "1,3");
  expect(workers.map(({ store, workers }) => [store, workers])).toEqual([
    ["redis", 1],
    ["redis", 3],
  ]);
  // An item is added, claimed and completed, however many workers see it.
  for (const { perItem } of workers) expect(perItem["calls"]).toBeGreaterThan(1);
});
