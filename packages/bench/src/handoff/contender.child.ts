import { setTimeout as sleep } from "node:timers/promises";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";

/*
 * Runs the job "job" several times, in turn with other processes. Sends the start and end of each body, by
 * the monotonic clock of the host, and the total processor time, in ms. Arguments: the manager's options as
 * JSON, how many runs, how long a body takes in ms.
 */
const [options = "{}", runs = "1", takes = "5"] = process.argv.slice(2);

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
process.once("message", async () => {
  const bodies: [begin: number, end: number][] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < Number(runs); i++) {
    await manager.run(
      "job",
      async () => {
        const begin = systemClock.monotonic();
        await sleep(Number(takes));
        bodies.push([begin, systemClock.monotonic()]);
      },
      { wait: 300_000 },
    );
  }
  const { user, system } = process.cpuUsage(before);
  await manager.close();
  process.send?.({ bodies, cpu: (user + system) / 1_000 });
  process.disconnect();
});
process.send?.({ ready: true });
