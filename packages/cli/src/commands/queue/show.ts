import type { JobManager } from "@ojm/core";
import { all, present } from "@ojm/core/internal";
import { type ItemInfo, type ItemState, pauseText, type QueueSummary, type Queues } from "@ojm/queue";
import { expectNoMore, firstOperand, lastValue } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { countOption } from "../../command-line/units.js";
import { CommandError, notFound } from "../../errors.js";
import { colorOf } from "../../output/color.js";
import { type Column, printItem, printItems } from "../../output/items.js";
import { jsonText, print, printError, wantsJson } from "../../output/print.js";
import { type SayTime, sayDuration, sayTime } from "../../output/times.js";
import { withQueue } from "../../store/open-queues.js";
import { count } from "../look/doctor/finding.js";
import { itemColumns, QUEUE, type ShownQueue, sayCount, shownQueue } from "./shown.js";

/** A queue with its first items. */
export interface QueueDetails extends ShownQueue {
  readonly items: readonly ItemInfo[];
}

/** Shows a queue with its first items, one item, or the dead letters. */
export async function execute(given: Given): Promise<number> {
  const name = firstOperand(given, QUEUE);
  const isDead = given.command === "queue dead";
  expectNoMore(given, isDead ? 1 : 2);
  if (isDead) return showDead(given, name);
  const [, id] = given.operands;
  const [state, group] = [lastValue(given, "state") as ItemState | undefined, lastValue(given, "group")];
  const limit = countOption(given, "limit");
  if (id !== undefined && [state, group, limit].some((value) => value !== undefined))
    throw new CommandError("ojm queue show takes --state, --group and --limit without the id of an item");
  return withQueue(given, name, async ({ queue, queues, manager }) => {
    if (id !== undefined) return showItem(given, queues, manager, name, id);
    const items = await all(queues.items(name, { limit: limit ?? LIMIT, ...present({ state, group }) }));
    const details: QueueDetails = { ...(await shownQueue(queues, queue)), items };
    const say = sayTime(given);
    printItem(given, details, queueFields(say));
    const isAll = state === undefined && group === undefined;
    if (wantsJson(given) || (items.length === 0 && isAll)) return;
    print("\n");
    await printItems(given, items, itemColumns(say), "no such items");
  });
}

async function showDead(given: Given, name: string): Promise<number> {
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
    const items = await all(queues.items(name, { state: "dead", limit: limit + 1, ...present({ group }) }));
    await printItems(given, items.slice(0, limit), columns, `the queue "${name}" has no dead letters`);
    if (items.length > limit && !wantsJson(given))
      printError(`There are more: --limit N shows N of them, those added first at the head`);
  });
}

/** How many items are shown unless the user gives another number. */
const LIMIT = 20;

function queueFields(say: SayTime): Column<QueueDetails>[] {
  return [
    { title: "queue", cut: "name", cell: ({ name }) => name },
    { title: "state", cell: ({ paused }) => paused && pauseText(paused, say), color: () => "yellow" },
    { title: "waiting", cell: (queue) => sayCount(queue.waiting, queue) },
    { title: "oldest", cell: ({ oldest }) => say(oldest) },
    { title: "delayed", cell: (queue) => sayCount(queue.delayed, queue) },
    { title: "active", cell: (queue) => sayCount(queue.active, queue) },
    { title: "dead", cell: (queue) => sayCount(queue.dead, queue) },
    {
      title: "workers",
      cell: ({ workers, slots }) => (workers === 0 ? "0" : `${workers}, for ${count(slots, "item")} at once`),
    },
    {
      title: "hung",
      cell: ({ hung }) => (hung === undefined ? undefined : `${count(hung, "handler")}, although the signal fired`),
      color: () => "red",
    },
    { title: "attempts", cell: ({ options }) => String(options.attempts) },
    { title: "retry delay", cell: ({ options }) => sayDelay(options) },
    { title: "timeout", cell: ({ options }) => sayDuration(Number(options.timeout)) },
    { title: "per group", cell: ({ options }) => options.perGroup?.toString() },
    { title: "permits", cell: ({ options: { permits } }) => permits && sayPermits(permits) },
    { title: "rate", cell: ({ options: { rate } }) => rate && sayRate(rate) },
    { title: "records", cell: ({ options }) => options.record },
    { title: "dead kept", cell: ({ options: { dead } }) => sayDuration(Number(dead?.keep)) },
  ];
}

function sayDelay({ delay, backoff, maxDelay }: QueueSummary["options"]): string {
  const first = sayDuration(Number(delay));
  return backoff === "fixed" ? first : `${first}, twice as long each time, ${sayDuration(Number(maxDelay))} at most`;
}

/** One line for each permit. */
function sayPermits(permits: NonNullable<QueueSummary["options"]["permits"]>): string {
  return Object.entries(permits)
    .map(([name, limit]) => `${limit} at once, over all that give the permit "${name}"`)
    .join("\n");
}

function sayRate({ name, max, per }: NonNullable<QueueSummary["options"]["rate"]>): string {
  return `${max} in ${sayDuration(Number(per))}, over all that give the rate "${name}"`;
}

async function showItem(given: Given, queues: Queues, manager: JobManager, queue: string, id: string): Promise<void> {
  const item = await queues.item(queue, id);
  if (item === undefined) throw await goneItem(manager, queue, id);
  const say = sayTime(given);
  printItem(given, item, [
    { title: "item", cut: "name", cell: () => item.id },
    { title: "queue", cut: "name", cell: () => item.queue },
    { title: "state", cell: () => item.state, color: () => colorOf(item.state) },
    { title: "attempt", cell: () => String(item.attempt) },
    { title: "priority", cell: () => (item.priority === 0 ? "" : String(item.priority)) },
    { title: "group", cut: "name", cell: () => item.group },
    { title: "added", cell: () => say(item.added) },
    { title: "due", cell: () => say(item.due) },
    { title: "expires", cell: () => say(item.expires) },
    { title: "died", cell: () => say(item.died) },
    { title: "error", cell: () => item.error },
    { title: "runs", cell: () => item.runs.join("\n") },
    { title: "meta", cell: () => item.meta && jsonText(item.meta, 1) },
    { title: "batch", cut: "name", cell: () => item.batch },
    { title: "data", cell: () => jsonText(item.data, 1) },
    { title: "newer data", cell: () => item.next && jsonText(item.next.data, 1) },
    { title: "newer due", cell: () => say(item.next?.due) },
  ]);
}

/** How many of the newest runs of the queue are searched for those of an item that is gone. */
const RECENT = 1_000;

/** An item that is done has its runs only. */
async function goneItem(manager: JobManager, queue: string, id: string): Promise<Error> {
  for await (const { id: run, meta, status } of manager.history({ name: queue, limit: RECENT }))
    if (meta?.["item"] === id)
      return notFound(`the queue "${queue}" no longer has the item ${id}: its last run, ${run}, is ${status}`);
  return notFound(`the queue "${queue}" has no item ${id}`);
}
