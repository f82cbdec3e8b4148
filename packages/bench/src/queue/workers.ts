import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { openJobManager } from "@ojm/core";
import { openQueues, type Queues } from "@ojm/queue";
import { countServerTime } from "../run/cost.js";
import { cpuOf, startChild } from "../scale/children.js";
import { type Counters, grown, perSecond, perTick } from "../schedules/counting/counts.js";
import { countsOf } from "../schedules/counting/servers.js";
import type { Store } from "../stores.js";

const QUEUE = "mail";

/** How many processes the workers are spread over. Each worker has a connection of its own. */
const PROCESSES = 5;

/** How long the workers may do what they do once, in ms. */
const SETTLE = 5_000;

/** What an item costs with many idle workers. */
export interface WorkersRow {
  readonly store: string;
  readonly workers: number;
  /** By counter: what an item costs all processes and the server, from its `add` to its end. */
  readonly perItem: Counters;
  /** By counter: its growth per second without items. */
  readonly quiet: Counters;
}

/** How much is measured: items, one after the other, and how long there are none, in ms. */
export interface WorkersSize {
  readonly items: number;
  readonly quiet: number;
}

/** Adds single items to a queue with more and more idle workers, and counts the calls of all processes. */
export async function measureWorkers(
  store: Store,
  sizes: readonly number[],
  size: WorkersSize,
  onRow: (row: WorkersRow) => void,
): Promise<void> {
  const open = await store.open(true);
  const counts = countsOf(store.name, open);
  const serverTime = countServerTime(open.servers);
  const children: ChildProcess[] = [];
  const manager = await openJobManager(open.options);
  const queues = openQueues(manager);
  const look = async (): Promise<{ readonly at: number; readonly counters: Counters }> => {
    const { user, system } = process.cpuUsage();
    const clients = user + system + 1_000 * (await cpuOf(children));
    return { at: performance.now(), counters: { ...(await counts.read()), clients, server: serverTime() } };
  };
  try {
    await queues.define(QUEUE);
    let there = 0;
    for (const workers of sizes) {
      children.push(...(await startWorkers(open.options, workers - there)));
      there = workers;
      await sleep(SETTLE);
      const handled = handledBy(children);
      await addOneByOne(queues, handled, Math.ceil(size.items / 10));
      const first = await look();
      await addOneByOne(queues, handled, size.items);
      const second = await look();
      await sleep(size.quiet);
      const third = await look();
      const adding = { ms: second.at - first.at, grown: grown(first.counters, second.counters) };
      const quiet = { ms: third.at - second.at, grown: grown(second.counters, third.counters) };
      const perItem = perTick(adding, quiet, size.items);
      onRow({ store: store.name, workers, perItem, quiet: perSecond(quiet) });
    }
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await queues.close();
    await manager.close();
    counts.close();
    await open.close();
  }
}

async function startWorkers(options: object, count: number): Promise<ChildProcess[]> {
  const length = Math.min(PROCESSES, count);
  const shares = Array.from({ length }, (_, i) => Math.floor((count + i) / length));
  const children = shares.map((share) =>
    startChild("../queue/workers.child.ts", [JSON.stringify(options), QUEUE, String(share)]),
  );
  await Promise.all(children.map((child) => once(child, "message")));
  return children;
}

/** Resolves once any of the children has handled an item, for each call once. */
function handledBy(children: readonly ChildProcess[]): () => Promise<unknown> {
  return () => {
    const stop = new AbortController();
    const { signal } = stop;
    return Promise.race(children.map((child) => once(child, "message", { signal }))).finally(() => stop.abort());
  };
}

async function addOneByOne(queues: Queues, handled: () => Promise<unknown>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const done = handled();
    await queues.add(QUEUE, { order: i });
    await done;
  }
}
