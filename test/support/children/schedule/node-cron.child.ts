import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { ojmCoordinator } from "@ojm/node-cron";
import cron from "node-cron";

/*
 * Runs tasks of node-cron until SIGTERM. Arguments: the manager's options as JSON, a map of the tasks as
 * JSON: for each its expression, and how long a run takes in ms. Notifies its parent of each run that begins,
 * by the name and the tick. The result of a run: when the task began and ended, in ms since 1970.
 */
const [options = "{}", tasks = "{}"] = process.argv.slice(2);
type Tasks = Record<string, { readonly cron: string; readonly takes: number }>;

await using manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
const coordinator = ojmCoordinator(manager, cron);
cron.setRunCoordinator(coordinator);
// A tick that another replica runs, or that a slow machine is late for, is not a fault.
cron.setLogger({ info: () => {}, warn: () => {}, debug: () => {}, error: (text) => console.error(text) });
for (const [name, { cron: expression, takes }] of Object.entries(JSON.parse(tasks) as Tasks)) {
  const body = async ({ date }: { readonly date: Date }): Promise<object> => {
    const began = Date.now();
    process.send?.(`${name} ${date.toISOString()}`);
    await pause(takes);
    return { began, ended: Date.now() };
  };
  cron.schedule(expression, body, { name, distributed: true });
}
process.send?.("ready");
await once(process, "SIGTERM");
for (const task of cron.getTasks().values()) await task.stop();
await coordinator.close({ grace: "1m" });
process.disconnect?.();
