import { once } from "node:events";
import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Runs the job "job" until its signal fires. Sends a message when the body begins, and at the end the outcome
 * of `run`. Argument: the manager's options as JSON.
 */
const manager = await openJobManager(JSON.parse(process.argv[2] ?? "{}") as JobManagerOptions);
const said = await manager
  .run("job", async ({ fence, signal }) => {
    process.send?.({ type: "began", fence });
    // Keep the process alive: only the signal ends the body.
    const alive = setInterval(() => {}, 60_000);
    await once(signal, "abort");
    clearInterval(alive);
  })
  .then(
    () => "completed",
    (error: { readonly code: string }) => error.code,
  );
await manager.close();
process.send?.({ type: "said", said });
process.disconnect();
