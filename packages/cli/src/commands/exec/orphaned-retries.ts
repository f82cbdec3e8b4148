import type { JobManager, PendingRetry, Run } from "@ojm/core";
import { ojmCommand, type StartClaim, shellWord } from "@ojm/core/internal";
import { printError } from "../../output/print.js";

/**
 * The claim of a run of `ojm exec`. It claims nothing: without it, the manager would continue an orphaned
 * retry series, with the timeout, the attempts and the meta of another command line.
 */
export const OWN_RUN: StartClaim = { ops: () => [], refused: async () => {} };

/** How to deal with an orphaned retry: the command first. */
export function orphanedRetryHelp({
  name,
  trigger,
  schedule,
}: Pick<PendingRetry, "name" | "trigger" | "schedule">): string {
  const end = `to end it: ${ojmCommand("cancel", name, "--reason …")}`;
  if (trigger === "exec") return `ojm exec ${shellWord(name)} -- COMMAND … begins a new run in its place; ${end}`;
  const who = schedule === undefined ? "its program again" : "the program that adds the schedule";
  return `to make it, start ${who}; ${end}`;
}

/**
 * Ends the orphaned retries of an `ojm exec` that is gone. It runs under the lock of the run that replaces
 * them: until then, they must not be lost.
 */
export async function takePlace(manager: JobManager, run: Run): Promise<void> {
  for (const next of await manager.orphanedRetries(run.name)) {
    const { chain, attempt, retry, trigger } = next;
    // The retries of a program are for its own code to make.
    if (trigger !== "exec" || !(await manager.endOrphanedRetry(run, next))) continue;
    const text = `attempt ${attempt} of ${retry.attempts} of ${chain} was left by an ojm that is gone: this run takes its place`;
    printError(`ojm: ${text}`);
    run.log.info(text);
  }
}
