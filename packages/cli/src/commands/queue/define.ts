import { ojmCommand, present } from "@ojm/core/internal";
import type { QueueOptions } from "@ojm/queue";
import { lastValue, operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption, permitsOption, rateOption, spanOption } from "../../command-line/units.js";
import { done } from "../../output/print.js";
import { queueOf, refuseNewQueue, withQueues } from "../../store/open-queues.js";

/** Sets the options of a queue. */
export async function execute(given: Given): Promise<number> {
  const queue = operandOf(given, "the name of a queue");
  const options = optionsOf(given);
  return withQueues(
    given,
    async (queues, manager) => {
      await refuseNewQueue(given, manager, queue);
      await queues.define(queue, options);
      const { options: defined } = await queueOf(queues, manager, queue);
      const text = `the queue "${queue}" is defined. To see its options: ${ojmCommand("queue show", queue)}`;
      return done(given, text, { queue, options: defined });
    },
    { create: true },
  );
}

function optionsOf(given: Given): QueueOptions {
  const keep = spanOption(given, "keep");
  return present({
    attempts: countOption(given, "attempts"),
    delay: spanOption(given, "delay"),
    backoff: lastValue(given, "backoff") as QueueOptions["backoff"],
    maxDelay: spanOption(given, "max-delay"),
    timeout: spanOption(given, "timeout"),
    perGroup: countOption(given, "per-group"),
    permits: permitsOption(given),
    rate: rateOption(given),
    dead: keep === undefined ? undefined : { keep },
  });
}
