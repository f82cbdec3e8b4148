import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { type BackendType, systemClock as clock } from "@ojm/core/backend";
import { openQueues } from "@ojm/queue";

/*
 * Opens several managers, each with its own connection, as if it were a process, and a worker with each.
 * Sends the data of each handled item. Answers every message with the processor time so far, in ms.
 * Arguments: the manager's options as JSON, the queue, and how many workers.
 */
const [options = "{}", queue = "", count = "1"] = process.argv.slice(2);
const { type = "", args = {} } = (JSON.parse(options) as JobManagerOptions).chLocks ?? {};
const { backend } = (await import(`@ojm/${type}`)) as { backend: BackendType };

/** How long a call may take, in ms: the process is busy while hundreds of workers learn of each new one. */
const DEADLINE = 120_000;

for (let i = 0; i < Number(count); i++) {
  const store = { backend: await backend.open({ ...args, deadline: DEADLINE }, { clock }) };
  const manager = await openJobManager({ chJobs: store, chLocks: store, heartbeatThread: false });
  await openQueues(manager).work(queue, ({ data }) => void process.send?.({ handled: data }));
}
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: (user + system) / 1_000 });
});
process.once("disconnect", () => process.exit());
process.send?.({ ready: true });
