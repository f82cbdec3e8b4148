import { type JobManager, type JobManagerOptions, openJobManager } from "@ojm/core";
import type { Stock, StockRecord } from "../scene/events.js";
import { patiently } from "../scene/patiently.js";

/** How long what is left by processes that ended may stay, in ms. Only a failing cell waits for so long. */
const PATIENCE = 30_000;

/**
 * Opens a manager after everybody has gone, as the next process would, and tells what is there once it has
 * cleaned up.
 */
export async function takeStock(options: JobManagerOptions): Promise<Stock> {
  await using manager = await patiently(() => openJobManager(options));
  const end = performance.now() + PATIENCE;
  let left = await patiently(() => whatIsLeft(manager));
  while (left.length > 0 && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = await patiently(() => whatIsLeft(manager));
  }
  const records = await patiently(() => recordsOf(manager));
  for (const { name, status, startTime } of records) {
    if (status === "running") left.push(`the run ${startTime} of ${name} is open, without a lock`);
  }
  return { records, left };
}

async function recordsOf(manager: JobManager): Promise<StockRecord[]> {
  const records: StockRecord[] = [];
  for await (const { name, fence = "", status, startTime } of manager.history()) {
    records.push({ name, fence, status, startTime });
  }
  return records;
}

/**
 * What must not stay in the channel of the locks: locks with their queues, and sessions with the calls to
 * them.
 */
const PREFIXES = ["lock", "session"];

/** Locks and queues of anybody, sessions of others than this process. */
async function whatIsLeft(manager: JobManager): Promise<string[]> {
  const left: string[] = [];
  for (const prefix of PREFIXES) {
    for await (const { key } of manager.channels.locks.entries({ prefix: [prefix] })) left.push(JSON.stringify(key));
  }
  for (const { name, startTime } of await manager.running()) left.push(`the run ${startTime} of ${name} is open`);
  return left;
}
