import { type JobManager, runId } from "@ojm/core";
import type { Audit, AuditEntry } from "../contract/audit.js";
import type { HolderView } from "../contract/common.js";
import { holderOf, shorten } from "./runs/items.js";
import { fitting, type Source } from "./source.js";

/** Which entries are asked for. */
export interface AuditAsked {
  readonly name?: string;
  readonly before?: number;
  readonly limit: number;
}

/** What people did to the runs and locks of others, newest first. */
export async function auditOf(source: Source, { name, before, limit }: AuditAsked): Promise<Audit> {
  const { manager, mask } = source;
  const to = before ?? Number.POSITIVE_INFINITY;
  const all = [...(await unlocks(manager, name)), ...(await cancels(manager, name, to, limit + 1))]
    .filter(({ at }) => at < to)
    .sort((a, b) => b.at - a.at);
  const { items: entries, more } = fitting(
    all.slice(0, limit).map((entry) => ({ ...entry, reason: shorten(mask(entry.reason), 1_000) })),
  );
  return { entries, more: more || all.length > limit };
}

const processOf = ({ host, pid }: HolderView): string => `${host}, pid ${pid}`;

async function unlocks(manager: JobManager, name: string | undefined): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  const prefix = name === undefined ? ["audit"] : ["audit", name];
  for await (const { value } of manager.channels.locks.entries({ prefix })) {
    if (!("lock" in value) || !("reason" in value)) continue;
    const { lock, at, reason, by, fence } = value;
    const run = (lock.note as { readonly run?: unknown } | undefined)?.run;
    found.push({
      at,
      action: "unlock",
      name: value.name,
      actor: processOf(by),
      reason,
      holder: holderOf(lock.holder),
      fence,
      ...(typeof run === "number" && { run: runId({ name: value.name, startTime: run }) }),
    });
  }
  return found;
}

async function cancels(
  manager: JobManager,
  name: string | undefined,
  before: number,
  limit: number,
): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  const options = { status: "cancelled", ...(name !== undefined && { name }) } as const;
  for await (const { endedBy: end, endTime, startTime, holder, name: job, id, fence } of manager.history(options)) {
    const at = endTime ?? startTime;
    if (end?.action !== "cancel" || at >= before) continue;
    found.push({
      at,
      action: "cancel",
      name: job,
      actor: processOf(end.by),
      reason: end.reason,
      holder: holderOf(holder),
      ...(fence !== undefined && { fence }),
      run: id,
    });
    if (found.length === limit) break;
  }
  return found;
}
