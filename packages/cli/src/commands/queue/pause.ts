import { ojmCommand } from "@ojm/core/internal";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { futureOption } from "../../command-line/units.js";
import { done } from "../../output/print.js";
import { queueOf, withQueues } from "../../store/open-queues.js";
import { author, reasonOf } from "../act/reason.js";

/** Pauses a queue. */
export async function execute(given: Given): Promise<number> {
  const queue = operandOf(given, "the name of a queue");
  const until = futureOption(given, "until");
  return withQueues(given, async (queues, manager) => {
    // Pausing a queue that no program uses would make it.
    const { paused: replaced } = await queueOf(queues, manager, queue);
    const reason = await reasonOf(given, `pause the queue ${queue}`);
    const by = author();
    await queues.pause(queue, { reason, author: by, ...(until !== undefined && { until }) });
    const end = until === undefined ? "" : ` until ${new Date(until).toISOString()}`;
    // Another user may count on the pause that is replaced.
    const before = replaced === undefined ? "" : ` It was paused by ${replaced.by} (${replaced.reason})`;
    const text = `the queue "${queue}" is paused${end}: no worker takes an item of it. To end that: ${ojmCommand("queue resume", queue)}.${before}`;
    const more = { ...(until !== undefined && { until }), ...(replaced && { replaced }) };
    return done(given, text, { queue, paused: true, reason, by, ...more });
  });
}
