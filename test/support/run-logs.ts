import type { JobManager, JobManagerOptions, LogItem, RunRecord } from "@ojm/core";
import type { LoggerReport } from "./children/logger.child.js";
import type { Child } from "./processes.js";

/** No session ends while a store is unreachable. */
const TTL = 600_000;

/** A manager whose records, locks and logs are in one store. */
export const both = (channel: object): JobManagerOptions => ({ chJobs: channel, chLocks: channel, ttl: TTL });

/** Reads a log in the background. */
export function follow(manager: JobManager, id: string): { readonly items: LogItem[]; readonly over: Promise<void> } {
  const items: LogItem[] = [];
  const over = (async () => {
    for await (const item of manager.log(id, { follow: true })) items.push(item);
  })();
  over.catch(() => {});
  return { items, over };
}

/** The log of a run, as far as it is in the store. */
export async function all(manager: JobManager, id: string): Promise<LogItem[]> {
  const items: LogItem[] = [];
  for await (const item of manager.log(id)) items.push(item);
  return items;
}

/** The progress of a process: the lines that it has written, and the ms that the calls took. */
export async function lookAt(child: Child): Promise<{ readonly written: number; readonly spent: number }> {
  const answer = child.message<Extract<LoggerReport, { written: number }>>();
  child.process.send("look");
  return answer;
}

/** Resolves once the process has written this many more lines. */
export async function goesOn(child: Child, more: number): Promise<void> {
  const { written: before } = await lookAt(child);
  while ((await lookAt(child)).written < before + more) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** The newest run of the process. */
export async function recordOf(manager: JobManager): Promise<RunRecord | undefined> {
  for await (const record of manager.history({ name: "logger" })) return record;
  return undefined;
}
