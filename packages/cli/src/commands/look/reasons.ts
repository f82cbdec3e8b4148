import type { JobManager } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import type { ScheduleReason, Scheduler } from "@ojm/schedule";
import type { PastReason } from "@ojm/schedule/operator";
import { queuesIn } from "../../store/known-names.js";
import { orphanedRetryHelp } from "../exec/orphaned-retries.js";
import { commandText, helpCommand, orphansOf } from "../exec/orphans.js";
import { sayRefusals } from "../exec/refusals.js";
import { endOfMaintenance } from "../maintenance/off.js";
import { type QueueReason, queueReasons } from "../queue/reasons.js";

/** Why a job does not run, and what to do. */
export interface Why extends Omit<ScheduleReason, "code"> {
  /**
   * `orphaned`: the command of `ojm exec` is running although its ojm was killed. `refused`: a start by `ojm
   * exec` was refused since the last run began. `queue-…`: how the items of the queue stand. With `--at`, or
   * of a run: those of `PastReason`.
   */
  readonly code: ScheduleReason["code"] | QueueReason["code"] | PastReason["code"] | "orphaned" | "refused";
  /** The command that helps, or shows more. */
  readonly help?: string;
}

const UNLOCK = (name: string): string => `; if it does not end: ${ojmCommand("unlock", name, "--reason …")}`;

/** The command that helps with a reason, or shows more of it. */
const HELPS: Readonly<Partial<Record<ScheduleReason["code"], (name: string, reason: ScheduleReason) => string>>> = {
  running: (name, { reason }) =>
    `${ojmCommand("logs", name, "-f")}${reason?.stopRequest === undefined ? "" : UNLOCK(name)}`,
  locked: (name, { reason }) => ojmCommand("unlock", reason?.lock?.name ?? name, "--reason …"),
  maintenance: (name, { reason }) => ojmCommand("hold", reason?.lock?.name ?? name, "--end --reason …"),
  "maintenance-window": (_, { maintenance }) => endOfMaintenance(maintenance?.names ?? "*"),
  queue: () => "ojm ps",
  permit: () => "ojm locks",
  rate: () => "ojm locks",
  waiting: (name) => ojmCommand("ticks", name),
  backfill: (name) => ojmCommand("backfill", name, "--stop"),
  retry: (name, { reason }) =>
    reason?.orphaned === undefined || reason.next === undefined
      ? ojmCommand("cancel", name, "--reason …")
      : orphanedRetryHelp(reason.next),
  unattended: (name) =>
    `start the process that adds the schedule; if none does any more: ${ojmCommand("schedules rm", name, "--reason …")}`,
  paused: (name) => ojmCommand("resume", name),
  last: (name, { reason }) => ojmCommand("show", reason?.run?.id ?? name),
  next: (name) => ojmCommand("run-now", name, "--reason …"),
};

/** No living process runs it, or a hold or a maintenance keeps it from running. */
const KEPT_AWAY: ReadonlySet<string> = new Set(["unattended", "maintenance", "maintenance-window"]);

/** Why a job does not run, the most important reason first, each with what to do. */
export async function reasonsOf(scheduler: Scheduler, manager: JobManager, name: string): Promise<Why[]> {
  const all = await scheduler.why(name);
  const isKeptAway = all.some(({ code }) => KEPT_AWAY.has(code));
  const orphans = (await orphansOf(manager)).filter((orphan) => orphan.name === name);
  // A free lock does not mean that the next command starts.
  const isKept = orphans.some(({ isCertain }) => isCertain);
  const refused = await sayRefusals(manager, name);
  const ofQueue = (
    await queuesIn(manager, async (queue, queues) => (queue.name === name ? queueReasons(queues, name) : []))
  ).flat();
  const { concernsQueue, isAboutNow } = await import("@ojm/schedule/operator");
  const reasons: Why[] = [
    ...ofQueue,
    ...orphans.map((orphan): Why => ({ code: "orphaned", text: commandText(orphan), help: helpCommand(orphan) })),
    ...all
      .filter((reason) => (ofQueue.length === 0 || concernsQueue(reason)) && (reason.code !== "ready" || !isKept))
      .map((reason): Why => {
        const help = isKeptAway && reason.code === "next" ? undefined : HELPS[reason.code]?.(name, reason);
        return { ...reason, ...(help !== undefined && { help }) };
      }),
  ];
  if (refused === undefined) return reasons;
  // Refused starts come after the reasons that keep it from running now, and before its last run.
  const later = reasons.findIndex((reason) => !isAboutNow(reason));
  return reasons.toSpliced(later < 0 ? reasons.length : later, 0, { code: "refused", text: refused });
}
