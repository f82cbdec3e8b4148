import type { AuditEntry } from "@ojm/core";
import { optionalOperand } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption } from "../../command-line/units.js";
import { type Column, printItems, tellMore } from "../../output/items.js";
import { sayTime } from "../../output/times.js";
import { refuseUnknown } from "../../store/known-names.js";
import { withStore } from "../../store/open.js";
import { pruneActionText } from "../act/prune.js";
import { count } from "./doctor/finding.js";

const LIMIT = 20;

const limitOf = (details: AuditEntry["details"]): string =>
  String((details as { readonly limit?: unknown } | undefined)?.limit ?? "default");

/** Shows what people did to runs, locks and schedules, and why. */
export async function execute(given: Given): Promise<number> {
  const name = optionalOperand(given);
  const limit = countOption(given, "limit") ?? LIMIT;
  const say = sayTime(given);
  const process = ({ host, pid }: AuditEntry["by"]): string => `${host}, pid ${pid}`;
  // The holder of a hold is not a process.
  const changed = ({ action, holder, details }: AuditEntry): string | undefined =>
    action === "end-hold" ? undefined : holder ? process(holder) : changedItems(action, details);
  const columns: Column<AuditEntry>[] = [
    { title: "WHEN", cell: ({ at }) => say(at) },
    { title: "WHAT", cell: ({ action, details }) => (action === "limit" ? `limit ${limitOf(details)}` : action) },
    { title: "JOB", cut: "name", cell: (act) => act.name },
    { title: "BY", rank: 4, cut: "text", cell: ({ author, by }) => author ?? process(by) },
    { title: "OF", rank: 5, cut: "text", cell: changed },
    { title: "REASON", rank: 3, cut: "text", cell: (act) => act.reason ?? pruneActionText(act) },
  ];
  return withStore(given, async (manager) => {
    const all: AuditEntry[] = [];
    for await (const entry of manager.audit(name === undefined ? {} : { name })) {
      all.push(entry);
      if (all.length > limit) break;
    }
    if (all.length === 0 && name !== undefined) await refuseUnknown(manager, name);
    const shown = all.slice(0, limit);
    await printItems(given, shown, columns, "no recorded actions on a run, a lock or a schedule");
    tellMore(given, all.length > limit, limit);
  });
}

/** The item, or the number of items, that an action on a queue changed. */
function changedItems(action: string, details: AuditEntry["details"]): string | undefined {
  if (!action.startsWith("queue-")) return undefined;
  const { item, count: items } = (details ?? {}) as { readonly [field: string]: unknown };
  return typeof item === "string" ? item : typeof items === "number" ? count(items, "item") : undefined;
}
