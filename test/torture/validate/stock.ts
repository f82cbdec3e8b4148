import { type JobManager, type JobManagerOptions, openJobManager } from "@ojm/core";
import type { Mode, Stock, StockRecord } from "../scene/events.js";
import { patiently } from "../scene/patiently.js";
import { takeJobStock } from "./job-stock.js";

/** How long the leftovers of ended processes may stay, in ms. Only a failing cell waits this long. */
const PATIENCE = 30_000;

/**
 * Opens a manager after all others have ended, as the next process would. Resolves to the contents of the
 * store once that manager has cleaned up, and in the mode `queue` once it has handled the other items.
 */
export async function takeStock(options: JobManagerOptions, mode: Mode): Promise<Stock> {
  await using manager = await patiently(() => openJobManager(options));
  const items = mode === "queue" ? await itemsOf(manager) : {};
  const end = performance.now() + PATIENCE;
  let stock = await patiently(() => whatIsThere(manager));
  while (stock.left.length > 0 && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    stock = await patiently(() => whatIsThere(manager));
  }
  return mode === "tick" ? { ...stock, jobs: await patiently(() => takeJobStock(manager)) } : { ...stock, ...items };
}

/** The base version has no queues. */
async function itemsOf(manager: JobManager): Promise<Pick<Stock, "items">> {
  const { takeItemStock } = await import("./item-stock.js");
  return { items: await takeItemStock(manager) };
}

async function whatIsThere(manager: JobManager): Promise<Stock> {
  const left = await whatIsLeft(manager);
  const { records, unreadable } = await recordsOf(manager);
  for (const { name, status, startTime } of records) {
    if (status === "running") left.push(`the run ${startTime} of ${name} is open, without a lock`);
  }
  const shown = new Set<string>();
  for await (const record of manager.history()) shown.add(runText(record));
  for (const record of records) {
    if (!shown.delete(runText(record))) left.push(`${runText(record)} is not in the history of all names`);
  }
  for (const more of shown) left.push(`${more} is in the history of all names only`);
  return { records, left, unreadable };
}

const runText = ({ name, startTime }: Pick<StockRecord, "name" | "startTime">): string =>
  `the run ${startTime} of ${name}`;

/**
 * The records of each name, read name by name: the history of all names is found by an index. `unreadable`:
 * the entries in their channel that no history has.
 */
async function recordsOf(manager: JobManager): Promise<Pick<Stock, "records" | "unreadable">> {
  const keys = new Map<string, Set<number>>();
  for await (const { key } of manager.channels.jobs.keys()) {
    const { name, startTime } = key as Partial<StockRecord>;
    // Not the key of a record: the channel is open to all programs.
    if (name === undefined || startTime === undefined) continue;
    keys.set(name, (keys.get(name) ?? new Set()).add(startTime));
  }
  const records: StockRecord[] = [];
  const unreadable: string[] = [];
  for (const [each, startTimes] of keys) {
    for await (const { name, fence = "", status, startTime, lock } of manager.history({ name: each })) {
      records.push({ name, fence, status, startTime, ...(lock !== undefined && { lock }) });
      startTimes.delete(startTime);
    }
    for (const startTime of startTimes) unreadable.push(`${runText({ name: each, startTime })} has no readable record`);
  }
  return { records, unreadable };
}

/**
 * The entries that must not stay in the channel of the locks: locks with their queues, sessions with the
 * calls to them, and permits.
 */
const PREFIXES = ["lock", "session", "permit"];

/** The locks and queues of all processes, the sessions of other processes, and the open runs. */
async function whatIsLeft(manager: JobManager): Promise<string[]> {
  const left: string[] = [];
  for (const prefix of PREFIXES) {
    for await (const { key } of manager.channels.locks.entries({ prefix: [prefix] })) left.push(JSON.stringify(key));
  }
  for (const { name, startTime } of await manager.openRecords()) left.push(`the run ${startTime} of ${name} is open`);
  return left;
}
