import { present } from "@ojm/core/internal";
import type { ItemInfo } from "@ojm/queue";
import { lastValue, operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption } from "../../command-line/units.js";
import { type Column, printItems } from "../../output/items.js";
import { printError, wantsJson } from "../../output/print.js";
import { sayTime } from "../../output/times.js";
import { withQueue } from "../../store/open-queues.js";
import { firstItems, LIMIT } from "./shown.js";

/** Shows the dead letters of a queue. */
export async function execute(given: Given): Promise<number> {
  const name = operandOf(given, "the name of a queue");
  const limit = countOption(given, "limit") ?? LIMIT;
  const group = lastValue(given, "group");
  const say = sayTime(given);
  const columns: Column<ItemInfo>[] = [
    { title: "ITEM", cut: "name", cell: ({ id }) => id },
    { title: "DIED", rank: 1, cell: ({ died }) => say(died) },
    { title: "ATTEMPTS", rank: 2, cell: ({ attempt }) => String(attempt) },
    { title: "GROUP", rank: 4, cut: "name", cell: ({ group }) => group },
    { title: "LAST RUN", rank: 3, cut: "name", cell: ({ runs }) => runs.at(-1) },
    { title: "ERROR", cut: "text", cell: ({ error }) => error, color: () => "red" },
  ];
  return withQueue(given, name, async ({ queues }) => {
    const items = await firstItems(queues, name, { state: "dead", limit: limit + 1, ...present({ group }) });
    await printItems(given, items.slice(0, limit), columns, `the queue "${name}" has no dead letters`);
    if (items.length > limit && !wantsJson(given))
      printError(`There are more: --limit N shows N of them, those added first at the head`);
  });
}
