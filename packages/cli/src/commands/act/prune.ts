import type { JobManager, PruneOptions } from "@ojm/core";
import type { InMs } from "@ojm/core/internal";
import { expectNoMore } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption, spanOption } from "../../command-line/units.js";
import { CommandError } from "../../errors.js";
import { done } from "../../output/print.js";
import { refuseUnknown } from "../../store/known-names.js";
import { withStore } from "../../store/open.js";
import { pruneText } from "../look/prune-text.js";
import { author } from "./reason.js";

/** Deletes the records and logs of runs that ended long ago. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given, 1);
  const [name] = given.operands;
  const olderThan = spanOption(given, "older-than");
  const keep = countOption(given, "keep");
  if (olderThan === undefined && keep === undefined)
    throw new CommandError("ojm prune needs --older-than, such as --older-than 30d, or --keep, such as --keep 100");
  const options = { olderThan: olderThan ?? 0, keep: keep ?? 0, ...(name !== undefined && { name }) };
  return withStore(given, async (manager) => {
    if (name !== undefined) await refuseUnknown(manager, name, true);
    if (given.flags.has("dry-run")) {
      const counts = { removed: await countOf(manager, options), audits: await auditsOf(manager, options) };
      return done(given, `would remove ${pruneText(counts)}`, { dryRun: true, ...counts });
    }
    const { removed, audits = 0 } = await manager.prune({ ...options, author: author() });
    return done(given, `removed ${pruneText({ removed, audits })}`, { removed, audits });
  });
}

/** How many runs a prune would delete. */
async function countOf(manager: JobManager, { olderThan, name, keep = 0 }: InMs<PruneOptions>): Promise<number> {
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

/** How many entries of the audit a prune would delete. */
async function auditsOf(manager: JobManager, { olderThan, name, keep = 0 }: InMs<PruneOptions>): Promise<number> {
  const cutoff = Date.now() - olderThan;
  const newer = new Map<string, number>();
  let count = 0;
  for await (const { name: one, at } of manager.audit(name === undefined ? {} : { name })) {
    const before = newer.get(one) ?? 0;
    newer.set(one, before + 1);
    if (before >= keep && at < cutoff) count++;
  }
  return count;
}
