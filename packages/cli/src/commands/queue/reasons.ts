import type { JobManager, Reason } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import type { Queues } from "@ojm/queue";
import { queuesIn } from "../../store/known-names.js";
import { count } from "../look/doctor/finding.js";
import { endOfMaintenance } from "../maintenance/off.js";
import { COUNTED, type ShownQueue, sayPause, shownQueue } from "./shown.js";

/** Why the items of a queue are not processed now, and what helps. */
export interface QueueReason {
  /**
   * `queue-paused`, `queue-maintenance`: no worker takes an item. `queue-hung`: handlers ignore their
   * signals. `queue-unattended`: no worker lives. `queue-busy`: all workers have as many items as they can.
   * `queue-waiting`: items wait although a worker has a free slot. `permit`, `rate`: a limit of the queue
   * that lets no attempt begin now. `queue-delayed`: the time of items has not come. `queue-follows`: active
   * items are handled once more after their attempts, with newer data. `queue-dead`: there are dead letters.
   * `queue-empty`: no item waits.
   */
  readonly code:
    | "permit"
    | "rate"
    | `queue-${"paused" | "maintenance" | "hung" | "unattended" | "busy" | "waiting" | "delayed" | "follows" | "dead" | "empty"}`;
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

/**
 * The limits that keep the next item from starting, the time of the first delayed item, and how many active
 * items have newer data for after their attempts.
 */
interface Upcoming {
  readonly limits?: readonly Reason[];
  readonly due?: number | undefined;
  readonly following?: number;
}

async function upcoming(queues: Queues, name: string): Promise<Upcoming> {
  let [due, following, limits]: [number | undefined, number, readonly Reason[]] = [undefined, 0, []];
  for await (const { group } of queues.items(name, { state: "waiting", limit: 1 }))
    limits = await queues.limits(name, group);
  for await (const item of queues.items(name, { state: "delayed", limit: 1 })) due = item.due;
  for await (const { next } of queues.items(name, { state: "active", limit: COUNTED })) if (next) following++;
  return { limits, due, following };
}

const iso = (at: number | undefined): string => new Date(at ?? 0).toISOString();

/** How the items of a queue stand, the most important reason first. */
export function reasonsOf(queue: ShownQueue & Upcoming): QueueReason[] {
  const { limits = [], due, following = 0 } = queue;
  const { name, waiting, delayed, active, dead, oldest, workers, slots, hung = 0, paused, more } = queue;
  const some = (number: number, noun: string): string => `${more ? "at least " : ""}${count(number, noun)}`;
  const next = oldest === undefined ? "" : `, the next one added at ${iso(oldest)}`;
  const wait = `${some(waiting, "item")} ${waiting === 1 ? "waits" : "wait"}${next}`;
  const all = workers === 0 ? "no worker" : `${count(workers, "worker")} for ${count(slots, "item")} at once`;
  const ignore =
    hung === 1 ? "handler ignores its signal and keeps its slot" : "handlers ignore their signals and keep their slots";
  const start = `start the program that works the queue, or: ${ojmCommand("queue work", name, "-- COMMAND …")}`;
  const restart =
    "their processes printed a warning OJM_QUEUE with the run: start them again, and let the handlers obey item.signal";
  const isKept = paused?.maintenance === undefined ? "paused" : "maintenance";
  const couldTake = limits.length > 0 ? "the limits of the queue let none start now" : "a worker is about to take them";
  type Row = readonly [holds: boolean, code: QueueReason["code"], text: string, help?: string];
  const rows: readonly Row[] = [
    [
      paused !== undefined,
      `queue-${isKept}`,
      `it is ${paused && sayPause(paused, iso)}`,
      paused?.maintenance === undefined ? ojmCommand("queue resume", name) : endOfMaintenance(paused.maintenance),
    ],
    [hung > 0, "queue-hung", `${hung} ${ignore} (${all})`, restart],
    [waiting > 0 && workers === 0, "queue-unattended", `${wait}, and no living worker takes them`, start],
    [
      waiting > 0 && workers > 0 && active >= slots,
      "queue-busy",
      `${wait}: all slots are taken (${all})`,
      `to see what they do: ${ojmCommand("ps", name)}`,
    ],
    [
      waiting > 0 && workers > 0 && active < slots && paused === undefined,
      "queue-waiting",
      `${wait}: ${couldTake} (${all})`,
    ],
    ...limits.map(({ code, text }): Row => [waiting > 0, code as "permit" | "rate", text, "ojm locks"]),
    [
      delayed > 0,
      "queue-delayed",
      `${some(delayed, "item")} ${delayed === 1 ? "waits for its" : "wait for their"} time${due === undefined ? "" : `, the first one until ${iso(due)}`}`,
      ojmCommand("queue show", name, "--state delayed"),
    ],
    [
      following > 0,
      "queue-follows",
      `newer data waits for the end of ${count(following, "active item")}: one more attempt with it follows`,
      ojmCommand("queue show", name, "--state active"),
    ],
    [dead > 0, "queue-dead", some(dead, "dead letter"), ojmCommand("queue dead", name)],
    [waiting === 0, "queue-empty", `no item waits for a worker, and ${activeText(active)} (${all})`],
  ];
  return rows.flatMap(([holds, code, text, help]) =>
    holds ? [{ code, text, ...(help !== undefined && { help }) }] : [],
  );
}

const activeText = (active: number): string =>
  active === 0 ? "none is active" : `${count(active, "item")} ${active === 1 ? "is" : "are"} active`;
