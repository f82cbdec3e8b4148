import type { Given } from "../../command-line/spec.js";
import { done } from "../../output/print.js";
import { withQueue } from "../../store/open-queues.js";
import { whyOf } from "../act/reason.js";
import { forEach, itemOperands } from "./operands.js";

/** Makes dead or delayed items waiting. */
export async function execute(given: Given): Promise<number> {
  const { queue, ids } = itemOperands(given);
  return withQueue(given, queue, ({ queues }) =>
    forEach(
      ids,
      (id) => queues.retry(queue, id, whyOf(given)),
      (retried) => {
        const text = retried.map((id) => `the item ${id} of the queue "${queue}" waits for a worker`).join("\n");
        return done(given, text, { queue, retried });
      },
    ),
  );
}
