import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Runs a job with retries. The first attempt fails, or never ends. Arguments: the manager's options as JSON,
 * the retry as JSON, "fails" or "hangs".
 */
const [options = "{}", retry = "{}", how = "fails"] = process.argv.slice(2);
const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
setInterval(() => {}, 60_000);
await manager.run(
  "job",
  async ({ id, attempt }) => {
    process.send?.({ began: id, attempt });
    if (how === "hangs") await new Promise(() => {});
    throw new Error("no route");
  },
  { retry: JSON.parse(retry) },
);
