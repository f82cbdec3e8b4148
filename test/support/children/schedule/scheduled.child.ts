import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { openScheduler, type ScheduleDefinition } from "@ojm/schedule";

/*
 * Runs schedules until SIGTERM. Arguments: the manager's options as JSON, a map of the schedules as JSON: for
 * each its definition, and how long a run takes in ms. Notifies its parent of each run that begins. The
 * result of a run: when its body began and ended, in ms since 1970.
 */
const [options = "{}", schedules = "{}"] = process.argv.slice(2);
type Schedules = Record<string, { readonly definition: ScheduleDefinition; readonly takes: number }>;

let begin = (): void => {};
/** A tick may come while schedules are still added: no message is sent before "ready". */
const ready = new Promise<void>((resolve) => {
  begin = resolve;
});

await using manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
await using scheduler = openScheduler(manager);
for (const [name, { definition, takes }] of Object.entries(JSON.parse(schedules) as Schedules)) {
  await scheduler.add(name, definition, async ({ attempt }) => {
    await ready;
    const began = Date.now();
    process.send?.(`${name} ${attempt}`);
    await pause(takes);
    return { began, ended: Date.now() };
  });
}
process.send?.("ready");
begin();
await once(process, "SIGTERM");
await scheduler.close();
process.disconnect?.();
