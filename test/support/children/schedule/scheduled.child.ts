import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { type ScheduleDefinition, Scheduler } from "@ojm/schedule";

/*
 * Runs schedules until SIGTERM. Arguments: the manager's options as JSON, a map of the schedules as JSON: for
 * each its definition, and how long a run takes in ms. Tells its parent of each run that begins.
 */
const [options = "{}", schedules = "{}"] = process.argv.slice(2);
type Schedules = Record<string, { readonly definition: ScheduleDefinition; readonly takes: number }>;

await using manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
await using scheduler = new Scheduler(manager);
for (const [name, { definition, takes }] of Object.entries(JSON.parse(schedules) as Schedules)) {
  await scheduler.add(name, definition, ({ attempt }) => {
    process.send?.(`${name} ${attempt}`);
    return pause(takes);
  });
}
process.send?.("ready");
await once(process, "SIGTERM");
await scheduler.close({ wait: 5_000 });
process.disconnect?.();
