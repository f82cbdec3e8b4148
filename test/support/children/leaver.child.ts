import { type JobManagerOptions, openJobManager } from "@ojm/core";

/* Starts a run and forgets to end it. Argument: the manager's options as JSON. */
const manager = await openJobManager(JSON.parse(process.argv[2] ?? "{}") as JobManagerOptions);
await manager.start("job");
process.disconnect();
