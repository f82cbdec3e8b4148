import type { JobManager } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import type { Queues } from "@ojm/queue";
import { queuesIn } from "../../store/known-names.js";
import { count } from "../look/doctor/finding.js";
import { COUNTED, type ShownQueue, sayPause, shownQueue } from "./shown.js";

/** Why the items of a queue are not processed now, and what helps. */
export interface QueueReason {
  /**
   * `queue-paused`: no worker takes an item. `queue-unattended`: no worker lives. `queue-busy`: all workers
   * have as many items as they can. `queue-waiting`: items wait although a worker could take one.
   * `queue-delayed`: the time of items has not come. `queue-follows`: active items are handled once more
   * after their attempts, with newer data. `queue-dead`: there are dead letters. `queue-empty`: no item waits.
   */
  readonly code: `queue-${"paused" | "unattended" | "busy" | "waiting" | "delayed" | "follows" | "dead" | "empty"}`;
  readonly text: string;
  readonly help?: string;
}

/** How the items of a queue stand, the most important reason first; `undefined` for another name. */
export async function queueReasons(manager: JobManager, name: string): Promise<QueueReason[] | undefined> {
  const found = await queuesIn(manager, async (queue, queues) =>
    queue.name === name ? { ...(await shownQueue(queues, queue)), ...(await upcoming(queues, name)) } : undefined,
  );
  const queue = found.find((one) => one !== undefined);
  return queue && reasonsOf(queue);
}

/** The time of the first delayed item, and how many active items have newer data for after their attempts. */
interface Upcoming {
  readonly due?: number | undefined;
  readonly following: number;
}

async function upcoming(queues: Queues, name: string): Promise<Upcoming> {
  let [due, following]: [number | undefined, number] = [undefined, 0];
  for await (const item of queues.items(name, { state: "delayed", limit: 1 })) due = item.due;
  for await (const { next } of queues.items(name, { state: "active", limit: COUNTED })) if (next) following++;
  return { due, following };
}

const iso = (at: number | undefined): string => new Date(at ?? 0).toISOString();

/** The living workers of a queue, and how many items they can have. */
const sayWorkers = ({ workers, slots, hung = 0 }: ShownQueue): string =>
  `${count(workers, "worker")} for ${count(slots, "item")} at once${hung === 0 ? "" : `, and ${count(hung, "handler")} that ${hung === 1 ? "ignores its signal" : "ignore their signals"}`}`;

function reasonsOf(queue: ShownQueue & Upcoming): QueueReason[] {
  const { due, following, name, waiting, delayed, active, dead, oldest, workers, slots, paused, more } = queue;
  const items = (number: number, verb: string): string =>
    `${more ? "at least " : ""}${count(number, "item")} ${verb}${number === 1 ? "s" : ""}`;
  const since = oldest === undefined ? "" : `, the next one added at ${iso(oldest)}`;
  const reasons: QueueReason[] = [];
  if (paused !== undefined)
    reasons.push({
      code: "queue-paused",
      text: `the queue is paused ${sayPause(paused, iso)}`,
      help: ojmCommand("queue resume", name),
    });
  if (waiting > 0 && workers === 0)
    reasons.push({
      code: "queue-unattended",
      text: `${items(waiting, "wait")}${since}, and no living worker takes them`,
      help: `start the program that works the queue, or: ${ojmCommand("queue work", name, "-- COMMAND …")}`,
    });
  else if (waiting > 0 && active >= slots)
    reasons.push({
      code: "queue-busy",
      text: `${items(waiting, "wait")}${since}: all slots are taken (${sayWorkers(queue)})`,
      help: `to see what they do: ${ojmCommand("ps", name)}`,
    });
  else if (waiting > 0 && paused === undefined)
    reasons.push({
      code: "queue-waiting",
      text: `${items(waiting, "wait")}${since}: a worker is about to take them, or a permit, a rate or the limit of a group keeps it from them (${sayWorkers(queue)})`,
      help: "ojm locks",
    });
  if (delayed > 0)
    reasons.push({
      code: "queue-delayed",
      text: `${items(delayed, "wait")} for ${delayed === 1 ? "its" : "their"} time, the first one until ${iso(due)}`,
      help: ojmCommand("queue show", name, "--state delayed"),
    });
  if (following > 0)
    reasons.push({
      code: "queue-follows",
      text: `newer data waits for the end of ${count(following, "active item")}: one more attempt with it follows`,
      help: ojmCommand("queue show", name, "--state active"),
    });
  if (dead > 0)
    reasons.push({
      code: "queue-dead",
      text: `${more ? "at least " : ""}${count(dead, "dead letter")}`,
      help: ojmCommand("queue dead", name),
    });
  if (waiting === 0) {
    const now = `${count(active, "item")} ${active === 1 ? "is" : "are"} active`;
    reasons.push({ code: "queue-empty", text: `no item waits for a worker, and ${now} (${sayWorkers(queue)})` });
  }
  return reasons;
}
