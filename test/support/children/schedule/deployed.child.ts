import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager, type Run } from "@ojm/core";
import { openScheduler, type ScheduleDefinition } from "@ojm/schedule";

/*
 * A deployed service: runs schedules until SIGTERM, and then closes. Its job functions clean up when they are
 * asked to end. Arguments: the manager's options as JSON, the schedules as JSON, a file to which each
 * function appends when it begins and ends, and how long it works and cleans up, in ms.
 */
const [options = "{}", schedules = "{}", file = "", takes = "0", cleans = "0"] = process.argv.slice(2);

const note = (what: "begin" | "end", { id, name, attempt, tick }: Run): void =>
  appendFileSync(file, `${JSON.stringify({ what, id, name, attempt, tick: tick?.at, pid: process.pid })}\n`);

async function job(run: Run): Promise<void> {
  note("begin", run);
  try {
    await pause(Number(takes), undefined, { signal: run.signal });
  } catch (error) {
    await pause(Number(cleans));
    throw error;
  } finally {
    note("end", run);
  }
}

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
const scheduler = openScheduler(manager);
process.once("SIGTERM", async () => {
  await Promise.all([scheduler.close(), manager.close()]);
  process.disconnect?.();
});
for (const [name, definition] of Object.entries(JSON.parse(schedules) as Record<string, ScheduleDefinition>)) {
  await scheduler.add(name, definition, job);
}
process.send?.("ready");
