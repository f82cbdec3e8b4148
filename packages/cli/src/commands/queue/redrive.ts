import { present } from "@ojm/core/internal";
import { lastValue, operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption, readRate } from "../../command-line/units.js";
import { CommandError } from "../../errors.js";
import { done } from "../../output/print.js";
import { withQueue } from "../../store/open-queues.js";
import { whyOf } from "../act/reason.js";
import { count } from "../look/doctor/finding.js";

/** Retries the dead letters of a queue. */
export async function execute(given: Given): Promise<number> {
  const queue = operandOf(given, "the name of a queue");
  const text = lastValue(given, "rate");
  const rate = text === undefined ? undefined : readRate(text);
  if (text !== undefined && rate === undefined)
    throw new CommandError(`--rate takes a number and a time, such as 100/1m or 5/s, not "${text}"`);
  const options = { ...whyOf(given), ...present({ limit: countOption(given, "limit"), rate }) };
  return withQueue(given, queue, async ({ queues }) => {
    const retried = await queues.redrive(queue, options);
    const which = count(retried, "dead letter");
    return done(given, `${which} of the queue "${queue}" will be tried again`, { queue, retried });
  });
}
