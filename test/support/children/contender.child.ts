import { once } from "node:events";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import type { Report } from "../witness.js";

/*
 * Runs one job several times, one after the other or "at once", and reports each body to the witness.
 * Arguments: the manager's options as JSON, the name of the job, how many times (with 0, one body that never
 * ends), "at once".
 */
const [options = "{}", job = "job", times = "1", how = ""] = process.argv.slice(2);

async function report(type: Report["type"], fence: string): Promise<void> {
  process.send?.({ type, job, fence } satisfies Report);
  await once(process, "message");
}

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
process.send?.({ ready: true });
if (Number(times) === 0) {
  await manager.run(job, async ({ fence }) => {
    await report("enter", fence);
    await new Promise(() => setInterval(() => {}, 60_000));
  });
}
const runOnce = (): Promise<unknown> =>
  manager.run(
    job,
    async ({ fence }) => {
      await report("enter", fence);
      await report("exit", fence);
    },
    { wait: 300_000 },
  );
if (how === "at once") await Promise.all(Array.from({ length: Number(times) }, runOnce));
else for (let i = 0; i < Number(times); i++) await runOnce();
await manager.close();
process.disconnect();
