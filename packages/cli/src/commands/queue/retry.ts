import { lastValue } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { done } from "../../output/print.js";
import { queueOf, withQueues } from "../../store/open-queues.js";
import { author } from "../act/reason.js";
import { forEach, itemOperands } from "./operands.js";

/** Makes dead or delayed items waiting. */
export async function execute(given: Given): Promise<number> {
  const { queue, ids } = itemOperands(given);
  const reason = lastValue(given, "reason");
  return withQueues(given, async (queues, manager) => {
    await queueOf(queues, manager, queue);
    const why = { author: author(), ...(reason !== undefined && { reason }) };
    return forEach(
      ids,
      (id) => queues.retry(queue, id, why),
      (retried) => {
        const text = retried.map((id) => `the item ${id} of the queue "${queue}" waits for a worker`).join("\n");
        return done(given, text, { queue, retried });
      },
    );
  });
}
