import { once } from "node:events";
import { type JobManagerOptions, openJobManager } from "@ojm/core";

/*
 * Runs the job "job" until its signal fires, and tells when it began, and in the end what `run` said.
 * Argument: the manager's options as JSON.
 */
const manager = await openJobManager(JSON.parse(process.argv[2] ?? "{}") as JobManagerOptions);
const said = await manager
  .run("job", async ({ fence, signal }) => {
    process.send?.({ type: "began", fence });
    // Only the signal ends it.
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
