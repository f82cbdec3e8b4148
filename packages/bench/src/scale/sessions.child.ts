import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { type BackendType, systemClock as clock } from "@ojm/core/backend";

/*
 * Opens several managers, each with its own connection, as if it were a process, and holds a lock with each.
 * Answers every message with the processor time so far, in ms. Arguments: the manager's options as JSON, and
 * the first and the last number of the managers.
 */
const [options = "{}", first = "0", last = "0"] = process.argv.slice(2);
const { type = "", args = {} } = (JSON.parse(options) as JobManagerOptions).chLocks ?? {};
const { backend } = (await import(`@ojm/${type}`)) as { backend: BackendType };

for (let i = Number(first); i < Number(last); i++) {
  const store = { backend: await backend.open(args, { clock }) };
  const manager = await openJobManager({ chJobs: store, chLocks: store, heartbeatThread: false });
  await manager.start(`job ${i}`);
}
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: (user + system) / 1_000 });
});
process.send?.({ ready: true });
