import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { done } from "../../output/print.js";
import { withQueue } from "../../store/open-queues.js";
import { whyOf } from "../act/reason.js";

/** Ends the pause of a queue. */
export async function execute(given: Given): Promise<number> {
  const queue = operandOf(given, "the name of a queue");
  return withQueue(given, queue, async ({ queues }) => {
    const wasPaused = await queues.resume(queue, whyOf(given));
    const text = `the queue "${queue}" ${wasPaused ? "is resumed" : "was not paused"}`;
    return done(given, text, { queue, wasPaused });
  });
}
