import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Runs jobs until they are asked to stop, and sends the reason of each signal to its parent. Arguments: the
 * manager's options as JSON, and the names of the jobs.
 */
const [options = "{}", ...names] = process.argv.slice(2);
const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
const keepAlive = setInterval(() => {}, 60_000);
const runs = names.map((name) =>
  manager.run(
    name,
    async ({ signal, id }) => {
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
        process.send?.({ began: id });
      });
      process.send?.({ told: String(signal.reason) });
    },
    { timeout: 600_000 },
  ),
);
await Promise.allSettled(runs);
clearInterval(keepAlive);
await manager.close();
process.disconnect();
