import { JobManager, type JobManagerOptions } from "@ojm/core";

/* Starts a run and forgets to end it. Argument: the manager's options as JSON. */
const manager = await JobManager.init(JSON.parse(process.argv[2] ?? "{}") as JobManagerOptions);
await manager.start("job");
process.disconnect();
