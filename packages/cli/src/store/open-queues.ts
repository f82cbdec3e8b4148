import type { JobManager } from "@ojm/core";
import { visible } from "@ojm/core/internal";
import type { QueueSummary, Queues } from "@ojm/queue";
import { checkNewName } from "../command-line/parse.js";
import type { Given } from "../command-line/spec.js";
import { notFound } from "../errors.js";
import { listed, meant, queueNames } from "./known-names.js";
import { type OpenStore, withStore } from "./open.js";

/** Calls `look` with the queues of the chosen store, and closes them. */
export function withQueues(
  given: Given,
  look: (queues: Queues, manager: JobManager) => Promise<number | undefined> | Promise<void>,
  options?: OpenStore,
): Promise<number> {
  return withStore(
    given,
    async (manager) => {
      const { openQueues } = await import("@ojm/queue");
      await using queues = openQueues(manager);
      // Awaited here: the queues must stay open until they have answered.
      return (await look(queues, manager)) ?? undefined;
    },
    options,
  );
}

/** A queue of the chosen store. */
export interface OpenQueue {
  readonly queue: QueueSummary;
  readonly queues: Queues;
  readonly manager: JobManager;
}

/** Calls `look` with a queue of the chosen store. Rejects a name that the store does not have. */
export function withQueue(
  given: Given,
  name: string,
  look: (open: OpenQueue) => Promise<number | undefined> | Promise<void>,
): Promise<number> {
  return withQueues(given, async (queues, manager) => {
    const queue = await queueOf(queues, manager, name);
    return (await look({ queue, queues, manager })) ?? undefined;
  });
}

/** A queue of the store. Rejects a name that the store does not have. */
export async function queueOf(queues: Queues, manager: JobManager, name: string): Promise<QueueSummary> {
  for await (const queue of queues.list()) if (queue.name === name) return queue;
  const known = await queueNames(manager);
  const others = known.size === 0 ? "The store has none." : `Those of the store: ${listed(known)}.`;
  throw notFound(`there is no queue "${visible(name)}".${await meant(name, known)} ${others}`);
}

/**
 * Rejects a new name that is close to that of a queue, unless --new is given: no worker would take the items
 * of a misspelt queue, and its worker would wait for ever. Resolves to whether the store has the queue.
 */
export async function refuseNewQueue(given: Given, manager: JobManager, name: string): Promise<boolean> {
  checkNewName(name, "a queue");
  const known = await queueNames(manager);
  if (known.has(name) || given.flags.has("new")) return known.has(name);
  const near = await meant(name, known);
  if (near !== "") throw notFound(`there is no queue "${visible(name)}".${near} To make it a new one: --new`);
  return false;
}
