import { setTimeout as sleep } from "node:timers/promises";
import { type JobManagerOptions, openJobManager } from "@ojm/core";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { addAll, Witness } from "./add.js";
import { type Lateness, latenessOf } from "./counting/counts.js";
import { farDefinition, spreadDefinition } from "./definitions.js";

/*
 * One process with many schedules. Sends its results once. Arguments: the manager's options as JSON, what to
 * measure (cost or ticks), how many schedules, and how long to measure, in ms.
 */

/** The cost of the schedules without ticks. */
export interface Cost {
  readonly adding: number;
  readonly memory: number;
  readonly idle: { readonly none: number; readonly all: number };
}

/** How late the ticks were, and how many there were in a second. */
export interface Ticks {
  readonly lateness: Lateness;
  readonly rate: number;
}

/**
 * The wait after adding the schedules, in ms: their list is written, and the events of the watches are read.
 */
const SETTLE = 2_000;

/** How many are added at once if the time to add them is not measured. */
const AT_ONCE = 100;

const [options = "{}", what = "", count = "0", span = "0"] = process.argv.slice(2);
const schedules = Number(count);
const measured = Number(span);

/** Heap and external memory, in bytes. */
async function memoryNow(): Promise<number> {
  // The second collection frees objects that finalizers released.
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await sleep(100);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The processor time of the next moments, as a part of a core. */
async function idle(): Promise<number> {
  const before = process.cpuUsage();
  const began = performance.now();
  await sleep(measured);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / (performance.now() - began);
}

async function cost(scheduler: Scheduler, witness: Witness): Promise<Cost> {
  // The first schedule opens resources that further ones share, so it is not measured.
  await scheduler.add("first", farDefinition(0), witness.body);
  await sleep(SETTLE);
  const before = await memoryNow();
  const none = await idle();
  const began = performance.now();
  await addAll(scheduler, witness, schedules, farDefinition, 1);
  const adding = performance.now() - began;
  await sleep(SETTLE);
  const memory = ((await memoryNow()) - before) / schedules;
  return { adding, memory, idle: { none, all: await idle() } };
}

async function ticks(scheduler: Scheduler, witness: Witness): Promise<Ticks> {
  await addAll(scheduler, witness, schedules, spreadDefinition, AT_ONCE);
  await sleep(SETTLE);
  witness.ran = [];
  await sleep(measured);
  return { lateness: latenessOf(witness.ran), rate: witness.ran.length / (measured / 1_000) };
}

const manager = await openJobManager(JSON.parse(options) as JobManagerOptions);
const scheduler = openScheduler(manager);
const witness = new Witness();
process.send?.(await (what === "cost" ? cost(scheduler, witness) : ticks(scheduler, witness)));
await scheduler.close();
await manager.close();
