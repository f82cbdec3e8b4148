import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { openJobManager } from "@ojm/core";
import { openQueues, type Queues } from "@ojm/queue";
import { countServerTime } from "../run/cost.js";
import { cpuOf, startChild } from "../scale/children.js";
import { type Counters, grown, perSecond, perTick, type Stretch } from "../schedules/counting/counts.js";
import { countsOf } from "../schedules/counting/servers.js";
import type { Store } from "../stores.js";

const QUEUE = "mail";

/** How many processes the workers are spread over. Each worker has a connection of its own. */
const PROCESSES = 5;

/** What an item costs with many idle workers. */
export interface WorkersRow {
  readonly store: string;
  readonly workers: number;
  /** By counter: what an item costs all processes and the server, from its `add` to its end. */
  readonly perItem: Counters;
  /** By counter: its growth per second without items. */
  readonly quiet: Counters;
}

/** How much is measured. Times are in ms. */
export interface WorkersSize {
  /** The items, each added after the end of the one before. */
  readonly items: number;
  /** How long new workers may do what they do once. */
  readonly settle: number;
  /** How long there are no items. */
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
  const children: ChildProcess[] = [];
  const manager = await openJobManager(open.options);
  const queues = openQueues(manager);
  const look = async (): Promise<Counters> => {
    const { user, system } = process.cpuUsage();
    return { ...(await counts.read()), clients: user + system + 1_000 * (await cpuOf(children)) };
  };
  const during = async (work: () => Promise<unknown>): Promise<Stretch> => {
    const [before, at, server] = [await look(), performance.now(), countServerTime(open.servers)];
    await work();
    return { ms: performance.now() - at, grown: { server: server(), ...grown(before, await look()) } };
  };
  try {
    await queues.define(QUEUE);
    let there = 0;
    for (const workers of sizes) {
      children.push(...(await startWorkers(open.options, workers - there)));
      there = workers;
      await sleep(size.settle);
      await addOneByOne(queues, children, Math.ceil(size.items / 10));
      const adding = await during(() => addOneByOne(queues, children, size.items));
      const quiet = await during(() => sleep(size.quiet));
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
  const ready = children.map(async (child) => {
    const stop = new AbortController();
    const exit = once(child, "exit", { signal: stop.signal }).then(() => {
      throw new Error("a process with workers ended while it opened them");
    });
    await Promise.race([once(child, "message"), exit]).finally(() => stop.abort());
  });
  await Promise.all(ready);
  return children;
}

/** Adds items, each once a worker of the children has handled the one before. */
async function addOneByOne(queues: Queues, children: readonly ChildProcess[], count: number): Promise<void> {
  let handled = (): void => {};
  const onMessage = (): void => handled();
  for (const child of children) child.on("message", onMessage);
  for (let i = 0; i < count; i++) {
    const done = new Promise<void>((resolve) => {
      handled = resolve;
    });
    await queues.add(QUEUE, { order: i });
    await done;
  }
  for (const child of children) child.off("message", onMessage);
}
