import { existsSync } from "node:fs";
import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Starts a run of "job", blocks the event loop until a file exists, and ends the run before its timers and
 * watches can report anything. Sends when the run began, and at the end the result of ending it. Arguments:
 * the manager's options, the path of the file.
 */
const [options = "{}", file = ""] = process.argv.slice(2);
const NOTHING = new Int32Array(new SharedArrayBuffer(4));

const manager = await openJobManager({ ...(JSON.parse(options) as JobManagerOptions), heartbeatThread: false });
const run = await manager.start("job");
await new Promise((resolve) => process.send?.({ fence: run.fence }, resolve));
while (!existsSync(file)) Atomics.wait(NOTHING, 0, 0, 20);
const signalled = run.signal.aborted;
const said = await run.end("late").then(
  () => "completed",
  (error: { readonly code: string }) => error.code,
);
process.send?.({ said, signalled });
await manager.close();
process.disconnect();
