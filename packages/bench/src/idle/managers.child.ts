import { type JobManager, openJobManager } from "@ojm/core";
import { type BackendType, systemClock as clock } from "@ojm/core/backend";

/*
 * Opens several managers, each with its own connection, as if it were a process. Each runs one job, and is
 * idle from then on. Arguments: the type of the store, its args as JSON, the time to live, and the first and
 * the last number of the managers.
 */
const [type = "", args = "{}", ttl = "", first = "0", last = "0"] = process.argv.slice(2);

const { backend } = (await import(`@ojm/${type}`)) as { backend: BackendType };

/** How many names have records. */
const NAMES = 20;

const open = async (i: number): Promise<JobManager> => {
  const store = { backend: await backend.open(JSON.parse(args), { clock }) };
  const manager = await openJobManager({ chJobs: store, chLocks: store, ttl: Number(ttl), heartbeatThread: false });
  await manager.run(`job ${i % NAMES}`, () => undefined, { wait: 600_000 });
  return manager;
};

for (let i = Number(first); i < Number(last); i++) await open(i);
process.once("message", () => process.exit());
process.send?.({ ready: true });
