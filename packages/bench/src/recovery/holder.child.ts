import { type JobManagerOptions, openJobManager } from "@ojm/core";

/* Holds one lock until it is killed. Arguments: the manager's options as JSON, the name of the job. */
const [options = "{}", job = "job"] = process.argv.slice(2);
const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
await manager.run(job, () => {
  process.send?.("inside");
  return new Promise(() => setInterval(() => {}, 60_000));
});
