import type { AuditEntry as Done } from "@ojm/core";
import type { Audit, AuditEntry } from "../contract/audit.js";
import { holderOf, shorten } from "./runs/items.js";
import { fitting, type Source } from "./source.js";

/** Which entries are asked for. */
export interface AuditAsked {
  readonly name?: string;
  readonly before?: number;
  readonly limit: number;
}

/** What people did to the runs, locks and schedules of others, newest first. */
export async function auditOf({ manager, mask }: Source, { name, before, limit }: AuditAsked): Promise<Audit> {
  const found: AuditEntry[] = [];
  for await (const done of manager.audit(name === undefined ? {} : { name })) {
    if (before !== undefined && done.at >= before) continue;
    found.push(entryOf(done, mask));
    if (found.length > limit) break;
  }
  const { items: entries, more } = fitting(found.slice(0, limit));
  return { entries, more: more || found.length > limit };
}

function entryOf({ at, action, name, author, by, reason, holder, fence, run }: Done, mask: Source["mask"]): AuditEntry {
  return {
    at,
    action,
    name,
    actor: author === undefined ? `${by.host}, pid ${by.pid}` : mask(author),
    ...(reason !== undefined && { reason: shorten(mask(reason), 1_000) }),
    ...(holder !== undefined && { holder: holderOf(holder) }),
    ...(fence !== undefined && { fence }),
    ...(run !== undefined && { run }),
  };
}
