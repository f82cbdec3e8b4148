import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Runs bodies that end when their signal fires, one after the other. Reports when each began and when its
 * signal fired, by the clock that the processes of a machine share. Arguments: the manager's options as JSON,
 * the name of the job.
 */
const [options = "{}", job = "job"] = process.argv.slice(2);
const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
// A body that only waits for its signal does not keep the process alive.
setInterval(() => {}, 60_000);
for (;;) {
  await manager
    .run(job, async (run) => {
      const fired = new Promise<void>((resolve) => run.signal.addEventListener("abort", () => resolve()));
      process.send?.({ began: run.id });
      await fired;
      process.send?.({ fired: Number(process.hrtime.bigint()) / 1e6 });
    })
    .catch(() => {});
}
