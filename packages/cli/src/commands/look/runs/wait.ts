import type { JobManager, RunRecord } from "@ojm/core";
import { operandOf } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { spanOption } from "../../../command-line/units.js";
import { EXIT } from "../../../errors.js";
import { colorOf } from "../../../output/color.js";
import { printItem } from "../../../output/items.js";
import { wantsJson } from "../../../output/print.js";
import { tell } from "../../../output/tell.js";
import { sayDuration } from "../../../output/times.js";
import { findRun } from "../../../store/find-run.js";
import { withStore } from "../../../store/open.js";

/** Waits for the end of a run, and ends by its result. */
export async function execute(given: Given): Promise<number> {
  const word = operandOf(given, "a run: its id, the beginning of one, or a name for its last run");
  const timeout = spanOption(given, "timeout");
  return withStore(given, async (manager) => {
    const run = await findRun(manager, word);
    const ended = (await manager.wait(run, timeout === undefined ? {} : { timeout })) ?? run;
    printItem(given, ended, [
      { title: "run", cell: ({ id }) => id },
      { title: "status", cell: ({ status }) => status, color: ({ status }) => colorOf(status) },
      { title: "took", cell: ({ duration }) => sayDuration(duration) },
      { title: "error", cell: ({ error }) => error },
    ]);
    // For a program, a line on stderr is an error.
    if (!wantsJson(given)) await tellNext(manager, ended);
    return exitOf(ended);
  });
}

/** The run is over, and its job is not: whoever waits for the job must know that it is tried again. */
async function tellNext(manager: JobManager, { id, name, retry, chain = id, status }: RunRecord): Promise<void> {
  if (retry === undefined || status === "running" || status === "completed") return;
  const next = (await manager.retries(name)).find((one) => one.chain === chain);
  if (next !== undefined)
    tell(`ojm: attempt ${next.attempt} of ${next.retry.attempts} is due at ${new Date(next.due).toISOString()}`);
}

function exitOf({ status }: RunRecord): number {
  if (status === "running") return EXIT.running;
  if (status === "timeout") return EXIT.timeout;
  return status === "completed" || status === "skipped" ? EXIT.ok : EXIT.failed;
}
