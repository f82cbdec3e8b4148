import type { JobManager } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import type { Scheduler } from "@ojm/schedule";
import { author } from "../../act/reason.js";
import type { Effect } from "./view/ui.js";

/** What somebody can do to a job on the screen. */
export type Act = Extract<Effect, { readonly type: "cancel" | "pause" | "resume" }>;

/** Does it, and resolves to what came of it, in a line. */
export async function perform(act: Act, manager: JobManager, scheduler: Scheduler): Promise<string> {
  const { name, run, chain } = act.target;
  try {
    if (act.type === "resume")
      return (await scheduler.resume(name, { author: author() }))
        ? `${name} is resumed`
        : `${name} was not paused any more`;
    const { reason } = act;
    if (act.type === "pause") {
      await scheduler.pause(name, { reason, author: author() });
      return `${name} is paused: its ticks are skipped until somebody presses p again`;
    }
    const wanted = run ?? chain;
    if (wanted === undefined) return `${name} does not run any more`;
    const outcome = await manager.cancel(wanted, { reason, author: author() });
    if (!outcome.asked) return `${wanted} does not run any more`;
    if (run === undefined && outcome.ended) return `${name} is not tried again`;
    if (outcome.ended) return `${run} is ${outcome.run?.status ?? "over"}`;
    return `${run} was asked to stop, and still runs. To take its lock: ${ojmCommand("unlock", name)}`;
  } catch (error) {
    // The screen goes on: what failed is told in its last line.
    return `nothing was done: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** What is told while it is done: a cancel waits for the end of the run. */
export function doing({ type, target: { name, run } }: Act): string {
  return type === "cancel" ? `asking ${run ?? name} to stop …` : type === "pause" ? `pausing ${name} …` : "";
}
