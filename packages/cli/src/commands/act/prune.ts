import type { AuditEntry } from "@ojm/core";
import { optionalOperand } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption, spanOption } from "../../command-line/units.js";
import { CommandError, EXIT } from "../../errors.js";
import { done, printError, wantsJson } from "../../output/print.js";
import { sayDuration } from "../../output/times.js";
import { refuseUnknown } from "../../store/known-names.js";
import { withStore } from "../../store/open.js";
import { author } from "./reason.js";

/** Deletes the records and logs of runs that ended long ago. */
export async function execute(given: Given): Promise<number> {
  const name = optionalOperand(given);
  const olderThan = spanOption(given, "older-than");
  const keep = countOption(given, "keep");
  if (olderThan === undefined && keep === undefined)
    throw new CommandError("ojm prune needs --older-than, such as --older-than 30d, or --keep, such as --keep 100");
  const of: { readonly name?: string } = name === undefined ? {} : { name };
  const options = { olderThan: olderThan ?? 0, keep: keep ?? 0 };
  return withStore(given, async (manager) => {
    if (name !== undefined) await refuseUnknown(manager, name, true);
    if (given.flags.has("dry-run")) {
      const counts = {
        removed: await countOf(manager.history(of), ({ endTime }) => endTime, options),
        audits: await countOf(manager.audit(of), ({ at }) => at, options),
      };
      return done(given, `would remove ${pruneText(counts)}`, { dryRun: true, ...counts });
    }
    const { removed, audits = 0, unrecorded } = await manager.prune({ ...options, ...of, author: author() });
    const why = unrecorded?.message;
    done(given, `removed ${pruneText({ removed, audits })}`, { removed, audits, ...(why && { unrecorded: why }) });
    if (unrecorded === undefined) return undefined;
    const what = unrecorded.outcome === "unknown" ? "may not record this prune" : "does not record this prune";
    if (!wantsJson(given)) printError(`ojm: the audit ${what}: ${why}`);
    return EXIT.away;
  });
}

/** How many of the items, newest first, a prune would delete. `timeOf`: when one ended; an open one stays. */
async function countOf<T extends { readonly name: string }>(
  items: AsyncIterable<T>,
  timeOf: (item: T) => number | undefined,
  { olderThan, keep }: { readonly olderThan: number; readonly keep: number },
): Promise<number> {
  const cutoff = Date.now() - olderThan;
  const newer = new Map<string, number>();
  let count = 0;
  for await (const item of items) {
    const before = newer.get(item.name) ?? 0;
    newer.set(item.name, before + 1);
    const time = timeOf(item);
    if (before >= keep && time !== undefined && time < cutoff) count++;
  }
  return count;
}

/** How much a prune deleted. */
function pruneText({ removed, audits }: { readonly removed: number; readonly audits: number }): string {
  const runs = removed === 1 ? "1 run" : `${removed} runs`;
  if (audits === 0) return runs;
  return `${runs} and ${audits === 1 ? "1 entry" : `${audits} entries`} of the audit`;
}

/** A prune in the audit, as text; `undefined` for other actions, whose reason a user gave. */
export function pruneActionText({ action, details }: AuditEntry): string | undefined {
  if (action !== "prune") return undefined;
  const { olderThan, keep = 0, removed, audits } = (details ?? {}) as { readonly [field: string]: unknown };
  if (typeof olderThan !== "number" || typeof removed !== "number" || typeof audits !== "number") return undefined;
  const kept = typeof keep === "number" && keep > 0 ? `, but for the newest ${keep} of each name` : "";
  const older = olderThan === 0 ? "" : ` older than ${sayDuration(olderThan)}`;
  return `removed ${pruneText({ removed, audits })}${older}${kept}`;
}
