import type { ItemInfo, ItemState } from "@ojm/queue";
import type { Endpoint } from "../contract/endpoint.js";
import { actRequestSchema } from "../contract/requests.js";
import type { ActAnswer, ActName, Role } from "../contract/types.js";
import { Refusal } from "../security/refusal.js";
import { hasErrorOf, summaryOf } from "../view/queues.js";
import type { Source } from "../view/source.js";
import { type Act, actHandlers, checkFuture, iso } from "./acts.js";
import type { Handler } from "./read.js";

const act = (id: ActName | `${ActName}-item`, role: Role, path: string, summary: string): Endpoint => ({
  ...{ id, method: "POST", path: `/api/v1/queues/:name/${path}`, summary, role },
  ...{ body: actRequestSchema, answer: "act" },
});

/** The endpoints that change queues. A discarded item cannot be restored: that needs the highest role. */
export const queueActEndpoints: readonly Endpoint[] = [
  act("queue-pause", "operate", "pause", "Let no worker take items of a queue"),
  act("queue-resume", "operate", "resume", "End the pause of a queue"),
  act("queue-retry", "operate", "retry", "Let the dead letters of a queue wait again"),
  act("queue-discard", "admin", "discard", "Remove the dead letters of a queue"),
  act("queue-retry-item", "operate", "items/:id/retry", "Let a dead or delayed item wait now"),
  act("queue-discard-item", "admin", "items/:id/discard", "Remove an item of a queue"),
];

/** The handlers of the endpoints that change queues. */
export function queueActHandlers(source: Source): Readonly<Record<string, Handler>> {
  const doings = {
    ...{ "queue-pause": pause, "queue-resume": resume, "queue-retry": retry, "queue-discard": discard },
    ...{ "queue-retry-item": retryItem, "queue-discard-item": discardItem },
  };
  return actHandlers(source, doings, async (queue) => {
    // An action on a queue that does not exist would make it.
    if ((await summaryOf(source, queue)) === undefined)
      throw new Refusal("NOT_FOUND", `this store has no queue "${queue.slice(0, 300)}"`);
  });
}

async function pause({ queues }: Source, { name: queue, reason, author, until, dryRun }: Act): Promise<ActAnswer> {
  const then = `${until === undefined ? "until it is resumed" : `until ${iso(until)}`}: no worker takes items of it`;
  if (dryRun === true) {
    checkFuture(until);
    return { done: `would pause the queue "${queue}" ${then}` };
  }
  await queues.pause(queue, { reason, author, ...(until !== undefined && { until }) });
  return { done: `the queue "${queue}" is paused ${then}` };
}

async function resume(source: Source, { name: queue, reason, author, dryRun }: Act): Promise<ActAnswer> {
  if (dryRun === true) return { done: `would end the pause of the queue "${queue}"` };
  const wasPaused = await source.queues.resume(queue, { reason, author });
  return { done: `the queue "${queue}" ${wasPaused ? "is resumed" : "was not paused"}` };
}

async function retry(source: Source, act: Act): Promise<ActAnswer> {
  const { name: queue, reason, author, dryRun } = act;
  const { where, dead } = await deadOf(source, act);
  if (dryRun === true) return { done: `would retry ${letters(dead)} of "${queue}"` };
  const n = await source.queues.redrive(queue, { reason, author, where });
  const kept = n < dead ? ". The unique key of the others belongs to another item" : "";
  return { done: `retried ${letters(n)} of "${queue}"${kept}` };
}

async function discard(source: Source, act: Act): Promise<ActAnswer> {
  const { name: queue, reason, author, dryRun } = act;
  const { where, dead } = await deadOf(source, act);
  if (dryRun === true) return { done: `would discard ${letters(dead)} of "${queue}"` };
  const n = await source.queues.purge(queue, { reason, author, state: "dead", where });
  return { done: `discarded ${letters(n)} of "${queue}"` };
}

/** The dead letters that are meant, and their number. */
async function deadOf(
  source: Source,
  { name: queue, error }: Act,
): Promise<{ readonly where: (item: ItemInfo) => boolean; readonly dead: number }> {
  const where = hasErrorOf(source, error);
  let dead = 0;
  for await (const item of source.queues.items(queue, { state: "dead" })) if (where(item)) dead++;
  if (dead > 0) return { where, dead };
  const which = error === undefined ? "" : " with this error";
  throw new Refusal("NOT_FOUND", `the queue "${queue}" has no dead letter${which}`);
}

const letters = (n: number): string => (n === 1 ? "1 dead letter" : `${n} dead letters`);

async function retryItem(source: Source, { name: queue, id = "", reason, author, dryRun }: Act): Promise<ActAnswer> {
  if (dryRun === true) {
    await known(source, queue, id, ["dead", "delayed"]);
    return { done: `would retry the item ${id} of "${queue}"` };
  }
  await source.queues.retry(queue, id, { reason, author });
  return { done: `the item ${id} of "${queue}" waits for a worker` };
}

async function discardItem(source: Source, { name: queue, id = "", reason, author, dryRun }: Act): Promise<ActAnswer> {
  if (dryRun === true) {
    await known(source, queue, id);
    return { done: `would discard the item ${id} of "${queue}"` };
  }
  const isGone = await source.queues.discard(queue, id, { reason, author });
  if (isGone) return { done: `discarded the item ${id} of "${queue}"` };
  return { done: `the worker of the item ${id} of "${queue}" was asked to stop, and still handles it`, pending: true };
}

/** A dry run must reject what the action would reject. */
async function known({ queues }: Source, queue: string, id: string, states?: readonly ItemState[]): Promise<void> {
  const item = await queues.item(queue, id);
  if (item !== undefined && (states === undefined || states.includes(item.state))) return;
  const which = states === undefined ? "" : ` that is ${states.join(" or ")}`;
  throw new Refusal("NOT_FOUND", `the queue "${queue}" has no item ${id.slice(0, 100)}${which}`);
}
