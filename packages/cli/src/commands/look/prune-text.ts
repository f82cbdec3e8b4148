import type { AuditEntry } from "@ojm/core";
import { sayDuration } from "../../output/times.js";

/** How much a prune deleted. */
export function pruneText({ removed, audits }: { readonly removed: number; readonly audits: number }): string {
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
