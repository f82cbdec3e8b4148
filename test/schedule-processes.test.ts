import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { type ScheduleDefinition, Scheduler, type ScheduleTick } from "@ojm/schedule";
import { expect, it } from "vitest";
import { type Child, startChild } from "./support/processes.js";
import { onSharedStores } from "./support/stores.js";

/** How long, in s. */
const SECONDS = Number(process.env["OJM_SCHEDULE_SECONDS"] ?? 12);
const PROCESSES = 3;
/** From one kill to the next, in ms. */
const BETWEEN_KILLS = 2_000;
const SECOND = 1_000;
/** How long a tick may stay undecided when those who would decide on it were killed, in ms. */
const DECIDED_WITHIN = 20_000;

async function begin(options: JobManagerOptions, definition: ScheduleDefinition, takes: number): Promise<Child> {
  const child = startChild("schedule/scheduled.child.ts", [
    JSON.stringify(options),
    "job",
    JSON.stringify(definition),
    `${takes}`,
  ]);
  expect(await child.message()).toBe("ready");
  return child;
}

/** The process that runs the job. */
async function busyOf(options: JobManagerOptions): Promise<number | undefined> {
  await using manager = await openJobManager(options);
  return (await manager.locks()).find(({ name }) => name === "job")?.holder.pid;
}

/** The outcomes and the records of the job, oldest first. */
async function look(options: JobManagerOptions): Promise<{ ticks: ScheduleTick[]; records: RunRecord[] }> {
  await using manager = await openJobManager(options);
  await using scheduler = new Scheduler(manager);
  const ticks: ScheduleTick[] = [];
  for await (const tick of scheduler.ticks("job")) ticks.unshift(tick);
  const records: RunRecord[] = [];
  for await (const record of manager.history({ name: "job" })) records.unshift(record);
  return { ticks, records };
}

/** Every second from the first tick on has one outcome, up to the last one. */
function expectEachOnce(ticks: readonly ScheduleTick[]): number[] {
  const covered = ticks.flatMap(({ at, until = at }) =>
    Array.from({ length: (until - at) / SECOND + 1 }, (_, i) => at + i * SECOND),
  );
  const first = ticks[0]?.at ?? 0;
  expect(covered).toEqual(Array.from({ length: covered.length }, (_, i) => first + i * SECOND));
  return covered;
}

/** A run begins when the one before it has ended. */
function expectNoneAtOnce(records: readonly RunRecord[]): void {
  for (const [i, { startTime }] of records.entries()) {
    if (i > 0) expect(startTime).toBeGreaterThanOrEqual(records[i - 1]?.endTime ?? Number.NaN);
  }
}

/** The ticks before `to` that are tried again, and whose last attempt did not complete. */
function openOf(records: readonly RunRecord[], to: number): string[] {
  const last = new Map(records.map((record) => [record.tick, record]));
  const open = [...last.values()].filter(({ status, retry }) => status !== "completed" && retry !== undefined);
  return open.filter(({ tick = 0 }) => tick < to).map(({ id, status, attempt }) => `${id} ${status} ${attempt}`);
}

onSharedStores((create) => {
  it.each<[string, ScheduleDefinition]>([
    ["each tick has one outcome and no tick is run twice", { cron: "* * * * * *" }],
    ["each tick is run once", { cron: "* * * * * *", overlap: "queue", missed: "all" }],
    [
      "each tick completes, by another process if need be, and no attempt overlaps another",
      {
        cron: "* * * * * *",
        overlap: "queue",
        missed: "all",
        retry: { attempts: 20, delay: 200, backoff: "fixed", onLost: true },
      },
    ],
  ])(
    "%s, whichever of the processes is killed",
    async (_, definition) => {
      const options = await create();
      const takes = definition.retry === undefined ? 100 : 700;
      const alive = await Promise.all(Array.from({ length: PROCESSES }, () => begin(options, definition, takes)));
      const from = Date.now();
      for (let kills = 0; Date.now() < from + SECONDS * SECOND; kills++) {
        await pause(BETWEEN_KILLS);
        const busy = definition.retry === undefined ? undefined : await busyOf(options);
        const place = alive.findIndex((child) => child.process.pid === busy);
        const [victim] = alive.splice(place < 0 ? kills % 2 : place, 1);
        victim?.process.kill("SIGKILL");
        await victim?.ended;
        alive.push(await begin(options, definition, takes));
      }
      // Those that were killed may have been the first and the second: wait until others have found out.
      const to = Date.now();
      await expect
        .poll(async () => (await look(options)).ticks.at(-1)?.at ?? 0, { timeout: DECIDED_WITHIN + 60_000 })
        .toBeGreaterThan(to);
      await expect.poll(async () => openOf((await look(options)).records, to), { timeout: 90_000 }).toEqual([]);
      for (const child of alive) child.process.kill("SIGTERM");
      for (const child of alive) expect([await child.ended, child.output.stderr]).toEqual([0, ""]);

      const { ticks, records } = await look(options);
      expect(expectEachOnce(ticks).length).toBeGreaterThanOrEqual(SECONDS);
      if (definition.missed === "all") expect(ticks.filter(({ outcome }) => outcome !== "run")).toEqual([]);
      const run = ticks.flatMap((tick) => tick.run ?? []);
      const first = records.filter(({ attempt = 1 }) => attempt === 1);
      expect(first.map(({ id }) => id)).toEqual(run);
      expect(first.map(({ tick }) => tick)).toEqual(
        ticks.filter(({ outcome }) => outcome === "run").map(({ at }) => at),
      );
      expectNoneAtOnce(records);
      expect(openOf(records, to)).toEqual([]);
      if (definition.retry !== undefined) expect(records.some(({ attempt = 1 }) => attempt > 1)).toBe(true);
      expect(records.filter(({ status }) => status === "completed").length).toBeGreaterThan(SECONDS / 2);
    },
    120_000 + SECONDS * 10 * SECOND,
  );
});
