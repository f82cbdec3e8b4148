import { once } from "node:events";
import { existsSync } from "node:fs";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import type { Report } from "../witness.js";

/*
 * Runs the job "job" once, with a body that blocks the event loop until a file exists. Reports to the
 * witness. At the end it sends the outcome of `run`, and whether the lock was still held when the body was
 * done. Arguments: the manager's options, the path of the file, the options of the run.
 */
const [options = "{}", file = "", runOptions = "{}"] = process.argv.slice(2);
const NOTHING = new Int32Array(new SharedArrayBuffer(4));

async function report(type: Report["type"], fence: string): Promise<void> {
  process.send?.({ type, job: "job", fence } satisfies Report);
  await once(process, "message");
}

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
let held: boolean | undefined;
const said = await manager
  .run(
    "job",
    async (run) => {
      await report("enter", run.fence);
      // Blocks the event loop, like a computation, but leaves the processor to the other tests.
      while (!existsSync(file)) Atomics.wait(NOTHING, 0, 0, 20);
      try {
        run.assertHeld();
        held = true;
        await report("exit", run.fence);
      } catch {
        held = false;
      }
    },
    JSON.parse(runOptions) as object,
  )
  .then(
    () => "completed",
    (error: { readonly code: string }) => error.code,
  );
await manager.close();
process.send?.({ type: "said", said, held });
process.disconnect();
