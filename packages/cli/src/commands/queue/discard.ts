import type { Given } from "../../command-line/spec.js";
import { EXIT } from "../../errors.js";
import { done } from "../../output/print.js";
import { withQueue } from "../../store/open-queues.js";
import { author, reasonOf } from "../act/reason.js";
import { forEach, itemOperands } from "./operands.js";

/** Removes items. */
export async function execute(given: Given): Promise<number> {
  const { queue, ids } = itemOperands(given);
  return withQueue(given, queue, async ({ queues }) => {
    const what = ids.length === 1 ? `the item ${ids[0]}` : `${ids.length} items`;
    const reason = await reasonOf(given, `discard ${what} of ${queue}`);
    const stopping: string[] = [];
    const discard = async (id: string): Promise<void> => {
      if (!(await queues.discard(queue, id, { reason, author: author() }))) stopping.push(id);
    };
    await forEach(ids, discard, (all) => {
      const item = (id: string): string => `the item ${id} of the queue "${queue}"`;
      const discarded = all.filter((id) => !stopping.includes(id));
      const lines = [
        ...discarded.map((id) => `discarded ${item(id)}`),
        ...stopping.map((id) => `asked the worker of ${item(id)} to stop, and it still runs`),
      ];
      done(given, lines.join("\n"), { queue, discarded, ...(stopping.length > 0 && { stopping }), reason });
    });
    return stopping.length > 0 ? EXIT.running : EXIT.ok;
  });
}
