import { pauseText } from "@ojm/queue";
import { expectNoMore } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { type Column, printItems } from "../../output/items.js";
import { sayTime } from "../../output/times.js";
import { storeWords } from "../../store/open.js";
import { withQueues } from "../../store/open-queues.js";
import { type ShownQueue, sayCount, shownQueue } from "./shown.js";

/** Shows the queues of a store. */
export async function execute(given: Given): Promise<number> {
  expectNoMore(given);
  const say = sayTime(given);
  const columns: Column<ShownQueue>[] = [
    { title: "QUEUE", cut: "name", cell: ({ name }) => name },
    { title: "WAITING", cell: (queue) => sayCount(queue.waiting, queue) },
    { title: "DELAYED", rank: 3, cell: (queue) => sayCount(queue.delayed, queue) },
    { title: "ACTIVE", cell: (queue) => sayCount(queue.active, queue) },
    {
      title: "DEAD",
      cell: (queue) => sayCount(queue.dead, queue),
      color: ({ dead }) => (dead > 0 ? "red" : undefined),
    },
    { title: "OLDEST", rank: 1, cell: ({ oldest }) => say(oldest) },
    { title: "WORKERS", rank: 2, cell: ({ workers }) => String(workers) },
    {
      title: "STATE",
      cut: "text",
      cell: ({ paused }) => paused && pauseText(paused, say),
      color: () => "yellow",
    },
  ];
  return withQueues(given, async (queues) => {
    const all: ShownQueue[] = [];
    for await (const queue of queues.list()) all.push(await shownQueue(queues, queue));
    // Names the store: the message would also be true of the wrong store.
    await printItems(given, all, columns, `no queues in ${await storeWords(given)}`);
  });
}
