import type { Given } from "../../command-line/spec.js";
import { EXIT } from "../../errors.js";
import { done } from "../../output/print.js";
import { queueOf, withQueues } from "../../store/open-queues.js";
import { author, reasonOf } from "../act/reason.js";
import { forEach, itemOperands } from "./operands.js";

/** Removes items. */
export async function execute(given: Given): Promise<number> {
  const { queue, ids } = itemOperands(given);
  return withQueues(given, async (queues, manager) => {
    const what = `discard ${ids.length === 1 ? `the item ${ids[0]}` : `${ids.length} items`} of ${queue}`;
    const reason = await reasonOf(given, what, async () => void (await queueOf(queues, manager, queue)));
    await queueOf(queues, manager, queue);
    const why = { reason, author: author() };
    const stopping: string[] = [];
    const discard = async (id: string): Promise<void> => {
      if (!(await queues.discard(queue, id, why))) stopping.push(id);
    };
    await forEach(ids, discard, (all) => {
      const discarded = all.filter((id) => !stopping.includes(id));
      const lines = [
        ...discarded.map((id) => `discarded the item ${id} of the queue "${queue}"`),
        ...stopping.map(
          (id) => `asked the worker of the item ${id} of the queue "${queue}" to stop, and it still runs`,
        ),
      ];
      done(given, lines.join("\n"), { queue, discarded, ...(stopping.length > 0 && { stopping }), reason });
    });
    return stopping.length > 0 ? EXIT.running : EXIT.ok;
  });
}
