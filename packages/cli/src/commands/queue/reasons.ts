import { ojmCommand, present } from "@ojm/core/internal";
import type { QueueCounts, QueuePause, Queues, QueueReason as Reason } from "@ojm/queue";
import { endOfMaintenance } from "../maintenance/off.js";

/** Why the items of a queue are not processed now, and what helps. */
export type QueueReason = Omit<Reason, "paused"> & { readonly help?: string };

const HELPS: Readonly<Partial<Record<Reason["code"], (name: string, paused?: QueuePause) => string>>> = {
  "queue-paused": (name) => ojmCommand("queue resume", name),
  "queue-maintenance": (_, paused) => endOfMaintenance(paused?.maintenance ?? "*"),
  "queue-hung": () =>
    "their processes printed a warning OJM_QUEUE with the run: start them again, and let the handlers obey item.signal",
  "queue-unattended": (name) =>
    `start the program that works the queue, or: ${ojmCommand("queue work", name, "-- COMMAND …")}`,
  "queue-busy": (name) => `to see what they do: ${ojmCommand("ps", name)}`,
  permit: () => "ojm locks",
  rate: () => "ojm locks",
  "queue-delayed": (name) => ojmCommand("queue show", name, "--state delayed"),
  "queue-follows": (name) => ojmCommand("queue show", name, "--state active"),
  "queue-dead": (name) => ojmCommand("queue dead", name),
};

/** How the items of a queue stand, and what helps. `counts`: if they are known. */
export async function queueReasons(queues: Queues, name: string, counts?: QueueCounts): Promise<QueueReason[]> {
  const all = await queues.why(name, present({ counts }));
  return all.map(({ paused, ...reason }) => ({ ...reason, ...present({ help: HELPS[reason.code]?.(name, paused) }) }));
}
