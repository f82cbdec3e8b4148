import type { JobManager } from "@ojm/core";
import { present } from "@ojm/core/internal";
import { queuesIn } from "../../../store/known-names.js";
import { type QueueReason, queueReasons } from "../../queue/reasons.js";
import { type ShownQueue, shownQueue } from "../../queue/shown.js";
import { count, type Finding, ok, problem, warning } from "./finding.js";

/** Workers that a line of cron starts may be away for so long, in ms. */
const LONG = 600_000;

/** Checks the queues of work: that each has a worker whose handlers end, and no dead letters. */
export async function checkQueues(manager: JobManager): Promise<Finding[]> {
  const all = await queuesIn(manager, async (one, queues) => {
    const queue = await shownQueue(queues, one);
    return { ...queue, reasons: await queueReasons(queues, one.name, queue) };
  });
  if (all.length === 0) return [];
  const workers = all.reduce((sum, queue) => sum + queue.workers, 0);
  const text = `${count(all.length, "queue")} of work items, ${count(workers, "worker")}`;
  return [ok("queues", text, { evidence: { queues: all.length, workers } }), ...all.flatMap(findingsOf)];
}

function findingsOf(queue: ShownQueue & { readonly reasons: readonly QueueReason[] }): Finding[] {
  const { reasons, name, waiting, oldest = Date.now(), slots, hung = 0, dead, paused } = queue;
  const unattended = Date.now() - oldest < LONG ? warning : problem;
  return reasons.flatMap(({ code, text: reason, help }) => {
    const text = `the queue "${name}": ${reason}`;
    const more = present({ help });
    if (code === "queue-unattended" && paused === undefined)
      return [unattended("queues", text, { ...more, evidence: { name, waiting, oldest } })];
    if (code === "queue-hung")
      return [(slots === 0 ? problem : warning)("queues", text, { ...more, evidence: { name, hung, slots } })];
    if (code === "queue-dead") return [warning("queues", text, { ...more, evidence: { name, dead } })];
    return code === "queue-paused" ? [warning("pauses", text, more)] : [];
  });
}
