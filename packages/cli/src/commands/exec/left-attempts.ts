import type { JobManager, PendingRetry, Run } from "@ojm/core";
import { ojmCommand, type StartClaim, shellWord } from "@ojm/core/internal";
import { tell } from "../../output/print.js";

/**
 * The claim of a run of `ojm exec`. It claims nothing: without it, the manager would go on with a chain that
 * was left, by the timeout, the number of attempts and the meta of another command line.
 */
export const OWN_RUN: StartClaim = { ops: () => [], refused: async () => {} };

/** What helps with an attempt that nobody makes: the command first. */
export function sayHelpLeft({ name, trigger, schedule }: Pick<PendingRetry, "name" | "trigger" | "schedule">): string {
  const end = `to end it: ${ojmCommand("cancel", name, "--reason …")}`;
  if (trigger === "exec") return `ojm exec ${shellWord(name)} -- COMMAND … begins a new run in its place; ${end}`;
  const who = schedule === undefined ? "its program again" : "the program that adds the schedule";
  return `start ${who}, which makes it; ${end}`;
}

/**
 * Ends the attempts that an `ojm exec` left which is gone. Under the lock of the run that takes their place:
 * until then, nobody may lose them.
 */
export async function takePlace(manager: JobManager, run: Run): Promise<void> {
  for (const next of await manager.retriesLeft(run.name)) {
    const { chain, attempt, retry, trigger } = next;
    // The attempts of a program are for its own code to make.
    if (trigger !== "exec" || !(await manager.endLeft(run, next))) continue;
    const text = `attempt ${attempt} of ${retry.attempts} of ${chain} was left by an ojm that is gone: this run takes its place`;
    tell(`ojm: ${text}`);
    run.log.info(text);
  }
}
