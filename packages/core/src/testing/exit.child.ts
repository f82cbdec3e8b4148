/**
 * Starts runs and leaves them open; the process then has nothing left to do. Prints the records as they are
 * when it exits.
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
// After the manager's own: what it wrote is there by then.
process.on("beforeExit", async () => {
  if (records.length > 0) return;
  for await (const record of manager.history()) records = [...records, record];
});
