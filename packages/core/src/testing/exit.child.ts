/**
 * Starts a run and leaves it open; the process then has nothing left to do. When it exits, it prints the
 * records, and the messages of the run's signal.
 */
import { openJobManager } from "../jobs/manager.js";
import type { RunRecord } from "../jobs/types.js";

const manager = await openJobManager();
const run = await manager.start("left open");
const cancelled: string[] = [];
run.signal.addEventListener("abort", () => cancelled.push(String((run.signal.reason as Error).message)));
await manager.run("in order", () => {});
process.on("exit", () => process.stdout.write(JSON.stringify({ told: cancelled, records })));

let records: RunRecord[] = [];
// This listener comes after the manager's own, so the writes of that one are in the store by then.
process.on("beforeExit", async () => {
  if (records.length > 0) return;
  for await (const record of manager.history()) records = [...records, record];
});
