import type { JobManager } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import { queuesIn } from "../../../store/known-names.js";
import { type ShownQueue, sayPause, shownQueue } from "../../queue/shown.js";
import { count, type Finding, ok, problem, warning } from "./finding.js";

/** Workers that a line of cron starts may be away for so long, in ms. */
const LONG = 600_000;

/** Checks the queues of work: that each has a worker, and no dead letters. */
export async function checkQueues(manager: JobManager): Promise<Finding[]> {
  const all = await queuesIn(manager, (queue, queues) => shownQueue(queues, queue));
  if (all.length === 0) return [];
  const workers = all.reduce((sum, queue) => sum + queue.workers, 0);
  const text = `${count(all.length, "queue")} of work items, ${count(workers, "worker")}`;
  return [ok("queues", text, { evidence: { queues: all.length, workers } }), ...all.flatMap(findingsOf)];
}

function findingsOf({
  name,
  waiting,
  oldest = Date.now(),
  workers,
  slots,
  hung = 0,
  dead,
  paused,
}: ShownQueue): Finding[] {
  const findings: Finding[] = [];
  if (waiting > 0 && workers === 0 && paused === undefined) {
    const since = new Date(oldest).toISOString();
    const text = `${count(waiting, "item")} of the queue "${name}" ${waiting === 1 ? "waits" : "wait"}, the next one added at ${since}, and no living worker takes ${waiting === 1 ? "it" : "them"}`;
    const help = `start the program that works the queue, or: ${ojmCommand("queue work", name, "-- COMMAND …")}`;
    const find = Date.now() - oldest < LONG ? warning : problem;
    findings.push(find("queues", text, { help, evidence: { name, waiting, oldest } }));
  }
  if (hung > 0) {
    const text = `${count(hung, "handler")} of the queue "${name}" ${hung === 1 ? "ignores its signal" : "ignore their signals"}, and ${count(slots, "slot")} of ${count(workers, "worker")} ${slots === 1 ? "is" : "are"} left`;
    const help =
      "their processes printed a warning OJM_QUEUE with the run: let the handler obey its signal, or start the process again";
    findings.push((slots === 0 ? problem : warning)("queues", text, { help, evidence: { name, hung, slots } }));
  }
  if (dead > 0) {
    const text = `the queue "${name}" has ${count(dead, "dead letter")}`;
    const help = `to see why: ${ojmCommand("queue dead", name)}; to try them again: ${ojmCommand("queue redrive", name)}`;
    findings.push(warning("queues", text, { help, evidence: { name, dead } }));
  }
  if (paused !== undefined) {
    const text = `the queue "${name}" is paused ${sayPause(paused, (at) => new Date(at ?? 0).toISOString())}`;
    findings.push(warning("pauses", text, { help: `to end that: ${ojmCommand("queue resume", name)}` }));
  }
  return findings;
}
