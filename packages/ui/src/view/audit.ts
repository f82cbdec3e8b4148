import type { AuditEntry as Done } from "@ojm/core";
import type { Audit, AuditEntry } from "../contract/types.js";
import { hasText, meantBy, type NamesQuery } from "./jobs/jobs.js";
import { holderOf, shorten } from "./runs/items.js";
import { fitting, pick, type Source } from "./source.js";

interface AuditQuery extends Pick<NamesQuery, "q" | "limit"> {
  readonly name?: string | undefined;
  readonly before?: number | undefined;
}

/** What people did to the runs, locks and schedules of others, newest first. */
export async function auditOf(source: Source, asked: AuditQuery): Promise<Audit> {
  const { manager, mask } = source;
  const { name, q, before, limit } = asked;
  const isAsked = hasText(q);
  const found: AuditEntry[] = [];
  for await (const done of manager.audit(name === undefined ? {} : { name })) {
    if (before !== undefined && done.at >= before) continue;
    // The masked author: a search must not find what is hidden.
    if (q !== undefined && !isAsked(done.name) && !isAsked(mask(done.author ?? ""))) continue;
    found.push(entryOf(done, mask));
    if (found.length > limit) break;
  }
  const { items: entries, more } = fitting(found, limit);
  const meant = found.length > 0 || before !== undefined ? {} : await meantBy(source, asked);
  return { entries, more, ...meant };
}

function entryOf(done: Done, mask: Source["mask"]): AuditEntry {
  const { author, by, reason, holder } = done;
  return {
    ...pick(done, "at", "action", "name", "fence", "run"),
    by: holderOf(by),
    ...(author !== undefined && { author: mask(author) }),
    ...(reason !== undefined && { reason: shorten(mask(reason), 1_000) }),
    ...(holder !== undefined && { holder: holderOf(holder) }),
  };
}
