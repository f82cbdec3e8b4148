import type { JobManager, PendingRetry, RunRecord } from "@ojm/core";
import { operandOf } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { spanOption } from "../../../command-line/units.js";
import { EXIT } from "../../../errors.js";
import { colorOf } from "../../../output/color.js";
import { printItem } from "../../../output/items.js";
import { wantsJson } from "../../../output/print.js";
import { oneLine } from "../../../output/table.js";
import { tell } from "../../../output/tell.js";
import { sayAttempt, sayDuration } from "../../../output/times.js";
import { findRun } from "../../../store/find-run.js";
import { withStore } from "../../../store/open.js";

/** Waits for the end of a run, and of the attempts that follow it. Ends by the result of the last one. */
export async function execute(given: Given): Promise<number> {
  const word = operandOf(given, "a run: its id, the beginning of one, or a name for its last run");
  const timeout = spanOption(given, "timeout") ?? Number.POSITIVE_INFINITY;
  const isAlone = given.flags.has("attempt");
  const until = performance.now() + timeout;
  return withStore(given, async (manager) => {
    const left = (): { readonly timeout: number } => ({ timeout: Math.max(0, until - performance.now()) });
    const run = await findRun(manager, word);
    let ended = (await manager.wait(run, left())) ?? run;
    await tellNext(given, manager, ended);
    while (!isAlone && ended.status !== "running") {
      const next = await manager.nextAttempt(ended, left());
      if (next === undefined) break;
      ended = (await manager.wait(next, left())) ?? next;
      await tellNext(given, manager, ended);
    }
    printItem(given, ended, [
      { title: "run", cell: ({ id }) => id },
      { title: "status", cell: ({ status }) => status, color: ({ status }) => colorOf(status) },
      { title: "attempt", cell: sayAttempt },
      { title: "took", cell: ({ duration }) => sayDuration(duration) },
      { title: "error", cell: ({ error }) => error },
    ]);
    const isOver = isAlone || (await pendingAfter(manager, ended)) === undefined;
    return isOver ? exitOf(ended) : EXIT.running;
  });
}

/** The attempt that is to come after a run that is over. */
async function pendingAfter(manager: JobManager, run: RunRecord): Promise<PendingRetry | undefined> {
  const { id, name, chain = id, status } = run;
  if (status === "running" || status === "completed") return undefined;
  return (await manager.retries(name)).find((one) => one.chain === chain);
}

/** Whoever waits must know for what. */
async function tellNext(given: Given, manager: JobManager, run: RunRecord): Promise<void> {
  // For a program, a line on stderr is an error.
  const next = wantsJson(given) ? undefined : await pendingAfter(manager, run);
  if (next === undefined) return;
  const { attempt = 1, status, error } = run;
  const end = `attempt ${attempt} of ${next.retry.attempts} ended as ${status}${error === undefined ? "" : `: ${oneLine(error)}`}`;
  tell(`ojm: ${end}. Attempt ${next.attempt} is due at ${new Date(next.due).toISOString()}`);
}

function exitOf({ status }: RunRecord): number {
  if (status === "running") return EXIT.running;
  if (status === "timeout") return EXIT.timeout;
  return status === "completed" || status === "skipped" ? EXIT.ok : EXIT.failed;
}
