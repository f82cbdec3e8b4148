import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import { contentsOf } from "../../golden/contents.js";

/*
 * Reads a store in use by the packages beside it: as the base version, or in a process of its own. Arguments:
 * JobManagerOptions as JSON, and the time up to which to read the rollups.
 */

const [, , options = "{}", at = "0"] = process.argv;
const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
const scheduler = openScheduler(manager);
const contents = await contentsOf(manager, scheduler, Number(at));
const waiters = await Promise.all(contents.open.map((id) => manager.waiters(id.slice(0, id.indexOf("@")))));
const entries: unknown[] = [];
for (const name of ["locks", "schedules", "times", "logs", "jobs"]) {
  const channel = await manager.channel<Readonly<Record<string, unknown>>>(`oJobManager-${name}`);
  for await (const { key, value } of channel.entries()) {
    // The living processes write these all the time.
    if ((key as readonly unknown[])[0] === "sweep") continue;
    const { beat: _, ...rest } = value;
    entries.push([name, key, typeof value === "object" && !Array.isArray(value) ? rest : value]);
  }
}
await scheduler.close();
await manager.close();
process.send?.({ ...contents, waiters, entries }, undefined, undefined, () => process.disconnect());
