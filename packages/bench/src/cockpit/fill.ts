import { setTimeout as sleep } from "node:timers/promises";
import { type Channel, type JobManager, type Op, openChannel, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler } from "@ojm/schedule";
import type { OpenStore } from "../stores.js";
import { acts, EVERY, type Filling, LOGGED, nameOf, recordsIn, ticksIn, timesIn } from "./records.js";

/** The most ops of a commit, and how many commits are in flight at once. */
const OPS = 1_000;
const AT_ONCE = 8;

/** The lines of the requested log. */
const LINES = 1_000;

/** Fills a new store as `total` runs of its schedules would have, in the last week. */
export async function fill({ options }: Pick<OpenStore, "options">, filling: Filling): Promise<void> {
  await using manager = await openJobManager(options);
  await addSchedules(manager, filling);
  await using jobs = await openChannel<RunRecord>("oJobManager-jobs", options.chJobs ?? {});
  await using times = await openChannel<unknown>("oJobManager-times", options.chJobs ?? {});
  const ticks = await manager.channel<unknown>("oJobManager-schedules");
  // Once the manager knows that the index of its new store is whole.
  while ((await times.get("filled")) === undefined) await sleep(10);
  // Each in the order of its keys: SQLite would read and write most of its pages again and again otherwise.
  await write(jobs as Channel<unknown>, recordsIn(filling));
  await write(ticks, ticksIn(filling));
  await write(times, timesIn(filling));
  await manager.run(LOGGED, async (run) => {
    for (let line = 1; line <= LINES; line++) run.log.info(`line ${line}: copied file ${line} of ${LINES}`);
  });
  for (const act of acts()) await manager.channels.locks.commitWith([], [manager.auditOps(act)]);
}

async function addSchedules(manager: JobManager, { names }: Filling): Promise<void> {
  const scheduler = openScheduler(manager);
  for (let i = 0; i < names; i++) await scheduler.add(nameOf(i), { every: EVERY }, () => undefined);
  await scheduler.close();
}

/** Writes ops in large commits. */
async function write(channel: Channel<unknown>, ops: Iterable<Op<unknown>>): Promise<void> {
  const most = Math.min(OPS, channel.supports.maxOps);
  const onTheirWay = new Set<Promise<unknown>>();
  const commit = async (some: readonly Op<unknown>[]): Promise<void> => {
    const one: Promise<unknown> = channel.commit(some);
    onTheirWay.add(one);
    one.then(
      () => onTheirWay.delete(one),
      () => {},
    );
    if (onTheirWay.size >= AT_ONCE) await Promise.race(onTheirWay);
  };
  let some: Op<unknown>[] = [];
  for (const op of ops) {
    some.push(op);
    if (some.length < most) continue;
    await commit(some);
    some = [];
  }
  if (some.length > 0) await commit(some);
  await Promise.all(onTheirWay);
}
