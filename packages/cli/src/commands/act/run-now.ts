import type { JobManager } from "@ojm/core";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { tell } from "../../output/tell.js";
import { shellWord } from "../../shell-word.js";
import { withScheduler } from "../../store/open.js";
import { done } from "./done.js";
import { author, reasonOf } from "./reason.js";

/** A living process answers within moments. After this time, in ms, an asker is told that there is none. */
const SILENCE = 2_000;

/** Runs a schedule now, in the process that has it. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a schedule");
  const reason = await reasonOf(given, `run ${name} now`);
  return withScheduler(given, async (scheduler, manager) => {
    const answered = new AbortController();
    // For a program, the one line on stderr is the error.
    const isRead = !given.flags.has("json") && !given.flags.has("jsonl");
    const timer = isRead ? setTimeout(() => void tellIfAlone(manager, name, answered.signal), SILENCE) : undefined;
    try {
      const run = await scheduler.runNow(name, { reason, author: author() });
      return done(given, `${run} was started. Its log: ojm logs ${shellWord(run)} -f`, { run });
    } finally {
      clearTimeout(timer);
      answered.abort();
    }
  });
}

/** Tells whoever waits for an answer if no living process can give one. */
async function tellIfAlone(manager: JobManager, name: string, answered: AbortSignal): Promise<void> {
  // The store may fail, too: the request tells of that.
  const isAlone = await hasRunner(manager, name).then(
    (has) => !has,
    () => false,
  );
  if (isAlone && !answered.aborted)
    tell(`ojm: no process that runs "${name}" is there: start the one that adds it. ojm waits up to 30 s for it`);
}

/** Whether a living process can run a schedule. */
async function hasRunner(manager: JobManager, name: string): Promise<boolean> {
  const { schedulersIn } = await import("@ojm/schedule");
  for await (const { schedules } of schedulersIn(manager)) if (schedules.has(name)) return true;
  return false;
}
