import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { type ScheduleDefinition, Scheduler } from "@ojm/schedule";

/*
 * Runs a schedule until SIGTERM. Arguments: the manager's options as JSON, the name of the schedule, its
 * definition as JSON, how long a run takes in ms.
 */
const [options = "{}", name = "job", definition = "{}", takes = "0"] = process.argv.slice(2);

await using manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
await using scheduler = new Scheduler(manager);
await scheduler.add(name, JSON.parse(definition) as ScheduleDefinition, () => pause(Number(takes)));
process.send?.("ready");
await once(process, "SIGTERM");
await scheduler.close({ wait: 5_000 });
process.disconnect?.();
