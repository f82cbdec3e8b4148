import { present } from "@ojm/core/internal";
import type { PurgeOptions } from "@ojm/queue";
import { lastValue, operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { done } from "../../output/print.js";
import { withQueue } from "../../store/open-queues.js";
import { author, reasonOf } from "../act/reason.js";
import { count } from "../look/doctor/finding.js";

/** Removes all items of a queue that are in one state. */
export async function execute(given: Given): Promise<number> {
  const queue = operandOf(given, "the name of a queue");
  const state = (lastValue(given, "state") ?? "waiting") as NonNullable<PurgeOptions["state"]>;
  const group = lastValue(given, "group");
  const which = `${state} items of the queue "${queue}"${group === undefined ? "" : `, of the group "${group}"`}`;
  return withQueue(given, queue, async ({ queues }) => {
    const reason = await reasonOf(given, `remove all ${which}`);
    const purged = await queues.purge(queue, { state, reason, author: author(), ...present({ group }) });
    return done(given, `removed ${count(purged, `${state} item`)} of the queue "${queue}"`, { queue, purged, reason });
  });
}
