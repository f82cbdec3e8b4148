import { expectNoMore } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { spanOption } from "../../command-line/units.js";
import { CommandError } from "../../errors.js";
import { withStore } from "../../store/open.js";
import { done } from "./done.js";

/** Deletes the records and logs of runs that ended long ago. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  const olderThan = spanOption(given, "older-than");
  if (olderThan === undefined) throw new CommandError("ojm prune needs --older-than, such as --older-than 30d");
  return withStore(given, async (manager) => {
    if (!given.flags.has("dry-run")) {
      const { removed } = await manager.prune({ olderThan });
      return done(given, `removed ${removed} runs`, { removed });
    }
    const cutoff = Date.now() - olderThan;
    let count = 0;
    for await (const { endTime } of manager.history({ to: cutoff }))
      if (endTime !== undefined && endTime < cutoff) count++;
    return done(given, `would remove ${count} runs`, { dryRun: true, removed: count });
  });
}
