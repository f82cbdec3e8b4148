import { lastValue, operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { done } from "../../output/print.js";
import { queueOf, withQueues } from "../../store/open-queues.js";
import { author } from "../act/reason.js";

/** Ends the pause of a queue. */
export async function execute(given: Given): Promise<number> {
  const queue = operandOf(given, "the name of a queue");
  return withQueues(given, async (queues, manager) => {
    await queueOf(queues, manager, queue);
    const reason = lastValue(given, "reason");
    const wasPaused = await queues.resume(queue, { author: author(), ...(reason !== undefined && { reason }) });
    const text = `the queue "${queue}" ${wasPaused ? "is resumed" : "was not paused"}`;
    return done(given, text, { queue, wasPaused });
  });
}
