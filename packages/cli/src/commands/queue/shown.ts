import type { ItemInfo, QueueCounts, QueueSummary, Queues } from "@ojm/queue";
import { colorOf } from "../../output/color.js";
import type { Column } from "../../output/items.js";
import type { SayTime } from "../../output/times.js";

/** The operand that names a queue, in words. */
export const QUEUE = "the name of a queue";

/** A queue, with the number of its items by their state. */
export interface ShownQueue extends QueueSummary, QueueCounts {}

export async function shownQueue(queues: Queues, queue: QueueSummary): Promise<ShownQueue> {
  return { ...queue, ...(await queues.counts(queue.name, { most: COUNTED })) };
}

/** The most items of a state that are counted. */
export const COUNTED = 10_000;

/** A number of items; `10000+` if there may be more than were counted. */
export function sayCount(number: number, { more }: Pick<QueueCounts, "more">): string {
  return more && number >= COUNTED ? `${number}+` : String(number);
}

/** The columns of a list of items. */
export function itemColumns(say: SayTime): Column<ItemInfo>[] {
  return [
    { title: "ITEM", cut: "name", cell: ({ id }) => id },
    { title: "STATE", cell: ({ state }) => state, color: ({ state }) => colorOf(state) },
    { title: "ATTEMPT", rank: 3, cell: ({ attempt }) => String(attempt) },
    { title: "PRIORITY", rank: 4, cell: ({ priority }) => (priority === 0 ? "" : String(priority)) },
    { title: "GROUP", rank: 4, cut: "name", cell: ({ group }) => group },
    { title: "ADDED", rank: 2, cell: ({ added }) => say(added) },
    { title: "DUE", rank: 1, cell: ({ due }) => say(due) },
    { title: "ERROR", cut: "text", cell: ({ error }) => error },
  ];
}
