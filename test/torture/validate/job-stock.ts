import type { JobManager, LogItem, RunRecord } from "@ojm/core";
import { openScheduler, type Scheduler, type ScheduleTick } from "@ojm/schedule";
import { faultsOf } from "../../../packages/core/src/testing/logs.js";
import type { JobStock, LogStock } from "../scene/events.js";
import { jobNames, lineOf, schedules } from "../scene/jobs.js";

/** Reads all entries of the scheduled and retried jobs. */
export async function takeJobStock(manager: JobManager): Promise<JobStock> {
  await using scheduler = openScheduler(manager);
  const ticks: Record<string, ScheduleTick[]> = {};
  for (const name of Object.keys(schedules)) ticks[name] = (await decidedOf(scheduler, name)).reverse();
  const cursors: Record<string, JobStock["cursors"][string]> = {};
  const entries = await manager.channel<JobStock["cursors"][string]>("oJobManager-schedules");
  for (const name of Object.keys(schedules)) cursors[name] = (await entries.get(["cursor", name])) ?? { at: 0 };
  const records: RunRecord[] = [];
  for (const name of jobNames) records.push(...(await collect(manager.history({ name }))));
  const logs: LogStock[] = [];
  for (const { id } of records) logs.push(logOf(id, await collect(manager.log(id))));
  // The stacks are long, and no law is about them.
  const pending = await manager.retries();
  const seen = await seenOf(manager, scheduler, records);
  const short = records.map(({ stack: _, ...record }) => record);
  return { now: Date.now(), records: short, ticks, cursors, pending, logs, seen };
}

const HOUR = 3_600_000;

/** The schedules, the audit, and the rollups of the hours in which these runs began. */
async function seenOf(
  manager: JobManager,
  scheduler: Scheduler,
  records: readonly RunRecord[],
): Promise<NonNullable<JobStock["seen"]>> {
  const hours = records.map(({ startTime }) => Math.floor(startTime / HOUR) * HOUR);
  // A machine with a wrong clock may have begun some of them days ahead.
  const from = Math.min(...hours);
  const range = { from, to: from + 2 * HOUR, by: "minute" } as const;
  const all = await collect(scheduler.schedules());
  return {
    schedules: all.map(({ name, definition, revision, paused }) => ({ name, definition, revision, paused })),
    audit: await collect(manager.audit()),
    rollups: records.length === 0 ? [] : (await manager.rollups(range)).jobs,
  };
}

/** The ticks of a schedule that have their outcome. */
async function decidedOf(scheduler: Scheduler, name: string): Promise<ScheduleTick[]> {
  return (await collect(scheduler.ticks(name))).filter(({ outcome }) => outcome !== "waiting");
}

function logOf(run: string, items: readonly LogItem[]): LogStock {
  const isCut = items.some((item) => "missing" in item && item.missing === "unknown");
  const known = items.filter((item) => !("missing" in item && item.missing === "unknown"));
  let lines = 0;
  for (const item of known) {
    if ("text" in item) lines = item.line;
    else if ("missing" in item && item.missing !== "unknown") lines += item.missing.lines;
  }
  return { run, lines, isCut, faults: faultsOf(known, lines, lineOf) };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
