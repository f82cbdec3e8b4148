import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { isChannelError, type JobManagerOptions, openJobManager, type Run } from "@ojm/core";
import { type Item, openQueues } from "@ojm/queue";
import { openScheduler } from "@ojm/schedule";
import { QUEUE, queueOptions, rowOf, TABLE } from "../scene/jobs.js";
import { patiently } from "../scene/patiently.js";
import { isClosing } from "../traffic/closing.js";
import { policies } from "./policies.js";
import { lineOf, type WitnessLine } from "./witness.js";

/*
 * One of the replicas of a kill run: the program of the README, whose bodies write to a witness beside the
 * store. Arguments: the manager's options as JSON, the file of the witness, how long a body takes in ms, what
 * it runs, and "adds" if it adds items.
 */
const [options = "{}", witness = "", takes = "0", work = "schedules", adds] = process.argv.slice(2);

/** The time between two lines of a body, in ms. */
const BEAT = 20;

/** How many items a replica handles at once, and the time between two that it adds, in ms. */
const CONCURRENCY = 4;
const BETWEEN_ADDS = 200;
const GROUPS = ["x", "y", "z"];

const write = (line: Omit<WitnessLine, "pid">): void => appendFileSync(witness, lineOf({ ...line, pid: process.pid }));

/** A running body writes lines all the time, so two at once cannot hide from the witness. */
async function body(run: Run, name = run.name): Promise<void> {
  const end = performance.now() + Number(takes);
  const note = (what: WitnessLine["what"]): void => write({ what, name, run: run.id });
  note("enter");
  while (performance.now() < end) {
    await pause(BEAT);
    // A replica that is closed lets its runs end.
    if (!isClosing(run.signal)) run.signal.throwIfAborted();
    note("beat");
  }
  note("done");
}

const manager = await patiently(() => openJobManager(JSON.parse(options) as JobManagerOptions));
const worker = work === "queue" ? await handleItems() : await runSchedules();
process.send?.("ready");
process.once("SIGTERM", async () => {
  await Promise.all([worker.close(), manager.close()]);
  process.disconnect?.();
});

/** No patience is long enough for a store that the whole machine keeps from answering. */
function unlessAway(error: unknown): undefined {
  if (!isChannelError(error) || !error.retryable) throw error;
}

async function runSchedules(): Promise<{ close(): Promise<void> }> {
  const scheduler = openScheduler(manager);
  for (const [name, definition] of Object.entries(policies)) await scheduler.add(name, definition, (run) => body(run));
  return scheduler;
}

/** Half of the items have a group. Each that completes has a row in the commit that ends it. */
async function handleItems(): Promise<{ close(): Promise<void> }> {
  const queues = openQueues(manager);
  await patiently(() => queues.define(QUEUE, queueOptions));
  const table = await patiently(() => manager.channel<true>(TABLE));
  const handle = async (item: Item): Promise<void> => {
    await body(item.run, item.id);
    await item.complete(null, rowOf(table, item));
  };
  await patiently(() => queues.work(QUEUE, handle, { concurrency: CONCURRENCY }));
  const add = async (): Promise<void> => {
    for (let n = 0; ; n++) {
      const options = n % 2 === 0 ? { group: GROUPS[(n / 2) % GROUPS.length] as string } : {};
      const added = await queues.add(QUEUE, n, options).catch(unlessAway);
      if (added !== undefined) write({ what: "added", name: added.id, run: "" });
      await pause(BETWEEN_ADDS);
    }
  };
  if (adds === "adds") void add();
  return queues;
}
