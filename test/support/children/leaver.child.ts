import { setTimeout as sleep } from "node:timers/promises";
import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Starts a run, works for a while, and forgets to end the run. Arguments: the manager's options as JSON, and
 * the time in ms.
 */
const manager = await openJobManager(JSON.parse(process.argv[2] ?? "{}") as JobManagerOptions);
await manager.start("job");
await sleep(Number(process.argv[3]));
process.disconnect();
