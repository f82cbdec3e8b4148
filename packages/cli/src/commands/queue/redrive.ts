import { parseDuration } from "@ojm/core/internal";
import type { RedriveOptions } from "@ojm/queue";
import { lastValue, operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption } from "../../command-line/units.js";
import { CommandError } from "../../errors.js";
import { done } from "../../output/print.js";
import { queueOf, withQueues } from "../../store/open-queues.js";
import { author } from "../act/reason.js";

/** Retries the dead letters of a queue. */
export async function execute(given: Given): Promise<number> {
  const queue = operandOf(given, "the name of a queue");
  const [limit, rate] = [countOption(given, "limit"), rateOption(given)];
  const reason = lastValue(given, "reason");
  return withQueues(given, async (queues, manager) => {
    await queueOf(queues, manager, queue);
    const options: RedriveOptions = {
      author: author(),
      ...(reason !== undefined && { reason }),
      ...(limit !== undefined && { limit }),
      ...(rate && { rate }),
    };
    const retried = await queues.redrive(queue, options);
    const which = retried === 1 ? "1 dead letter" : `${retried} dead letters`;
    return done(given, `${which} of the queue "${queue}" will be tried again`, { queue, retried });
  });
}

/** The value of --rate: how many per time. */
function rateOption(given: Given): RedriveOptions["rate"] {
  const text = lastValue(given, "rate");
  if (text === undefined) return undefined;
  const [, max, per] = /^([1-9]\d{0,8})\/(.+)$/.exec(text) ?? [];
  const span = per === undefined ? undefined : parseDuration(/^\d/.test(per) ? per : `1${per}`);
  if (max !== undefined && span !== undefined && span > 0) return { max: Number(max), per: span };
  throw new CommandError(`--rate takes a number and a time, such as 100/1m or 5/s, not "${text}"`);
}
