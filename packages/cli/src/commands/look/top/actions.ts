import type { JobManager } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import type { Scheduler } from "@ojm/schedule";
import { author } from "../../act/reason.js";
import type { Effect } from "./view/ui.js";

/** An action of the user on a job. */
type Act = Extract<Effect, { readonly type: "cancel" | "pause" | "resume" }>;

/** Does the action, and resolves to its outcome as a line. */
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
      return `${name} is paused: press p again to resume it`;
    }
    const wanted = run ?? chain;
    if (wanted === undefined) return `${name} does not run any more`;
    const outcome = await manager.cancel(wanted, { reason, author: author() });
    if (!outcome.requested) return `${wanted} does not run any more`;
    if (run === undefined && outcome.ended) return `${name} is not tried again`;
    if (outcome.ended) return `${run} is ${outcome.run?.status ?? "over"}`;
    return `${run} was asked to stop, and still runs. To take its lock: ${ojmCommand("unlock", name)}`;
  } catch (error) {
    // The screen stays open: its last line shows the error.
    return `nothing was done: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The message during the action: a cancel waits for the end of the run. */
export function doing({ type, target: { name, run } }: Act): string {
  return type === "cancel" ? `asking ${run ?? name} to stop …` : type === "pause" ? `pausing ${name} …` : "";
}
