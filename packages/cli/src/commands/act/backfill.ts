import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { timeOption } from "../../command-line/units.js";
import { CommandError } from "../../errors.js";
import { withScheduler } from "../../store/open.js";
import { done } from "./done.js";
import { author } from "./hold.js";
import { reasonOf } from "./reason.js";

/** Runs the ticks of a time that is over. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a schedule");
  const now = Date.now();
  const from = timeOption(given, "from", now, -1);
  if (from === undefined) throw new CommandError("ojm backfill needs --from: the first tick to run");
  const to = timeOption(given, "to", now, -1);
  const reason = await reasonOf(given, `run the ticks of ${name} again`);
  return withScheduler(given, async (scheduler) => {
    const options = {
      from,
      reason,
      author: author(),
      again: given.flags.has("again"),
      ...(to !== undefined && { to }),
    };
    const asked = await scheduler.backfill(name, options);
    const again = given.flags.has("again");
    const which = again ? `${asked.ticks} ticks` : `up to ${asked.ticks} ticks, without those that were run,`;
    return done(given, `${which} of "${name}" will be run, one after the other`, asked);
  });
}
