import type { JobManager, PruneOptions } from "@ojm/core";
import { expectNoMore } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption, spanOption } from "../../command-line/units.js";
import { CommandError } from "../../errors.js";
import { withStore } from "../../store/open.js";
import { done } from "./done.js";

/** Deletes the records and logs of runs that ended long ago. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given, 1);
  const [name] = given.operands;
  const olderThan = spanOption(given, "older-than");
  if (olderThan === undefined) throw new CommandError("ojm prune needs --older-than, such as --older-than 30d");
  const options = { olderThan, keep: countOption(given, "keep") ?? 0, ...(name !== undefined && { name }) };
  return withStore(given, async (manager) => {
    if (given.flags.has("dry-run")) {
      const removed = await countOf(manager, options);
      return done(given, `would remove ${runs(removed)}`, { dryRun: true, removed });
    }
    const { removed } = await manager.prune(options);
    return done(given, `removed ${runs(removed)}`, { removed });
  });
}

/** How many runs a prune would delete. */
async function countOf(manager: JobManager, { olderThan, name, keep = 0 }: PruneOptions): Promise<number> {
  const cutoff = Date.now() - olderThan;
  const newer = new Map<string, number>();
  let count = 0;
  for await (const { name: one, endTime } of manager.history(name === undefined ? {} : { name })) {
    const before = newer.get(one) ?? 0;
    newer.set(one, before + 1);
    if (before >= keep && endTime !== undefined && endTime < cutoff) count++;
  }
  return count;
}

function runs(count: number): string {
  return count === 1 ? "1 run" : `${count} runs`;
}
