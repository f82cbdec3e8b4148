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
  const child = startChild("scheduled.child.ts", [
    JSON.stringify(options),
    "job",
    JSON.stringify(definition),
    `${takes}`,
  ]);
  expect(await child.message()).toBe("ready");
  return child;
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

onSharedStores((create) => {
  it.each<[string, ScheduleDefinition]>([
    ["each tick has one outcome and no tick is run twice", { cron: "* * * * * *" }],
    ["each tick is run once", { cron: "* * * * * *", overlap: "queue", missed: "all" }],
  ])(
    "%s, whichever of the processes is killed",
    async (_, definition) => {
      const options = await create();
      const alive = await Promise.all(Array.from({ length: PROCESSES }, () => begin(options, definition, 100)));
      const from = Date.now();
      for (let kills = 0; Date.now() < from + SECONDS * SECOND; kills++) {
        await pause(BETWEEN_KILLS);
        const [victim] = alive.splice(kills % 2, 1);
        victim?.process.kill("SIGKILL");
        await victim?.ended;
        alive.push(await begin(options, definition, 100));
      }
      // Those that were killed may have been the first and the second: wait until others have found out.
      const to = Date.now();
      await expect
        .poll(async () => (await look(options)).ticks.at(-1)?.at ?? 0, { timeout: DECIDED_WITHIN + 60_000 })
        .toBeGreaterThan(to);
      for (const child of alive) child.process.kill("SIGTERM");
      for (const child of alive) expect([await child.ended, child.output.stderr]).toEqual([0, ""]);

      const { ticks, records } = await look(options);
      expect(expectEachOnce(ticks).length).toBeGreaterThanOrEqual(SECONDS);
      if (definition.missed === "all") expect(ticks.filter(({ outcome }) => outcome !== "run")).toEqual([]);
      const run = ticks.flatMap((tick) => tick.run ?? []);
      expect(records.map(({ id }) => id)).toEqual(run);
      expect(records.map(({ tick }) => tick)).toEqual(
        ticks.filter(({ outcome }) => outcome === "run").map(({ at }) => at),
      );
      expect(records.filter(({ status }) => status === "completed").length).toBeGreaterThan(SECONDS / 2);
    },
    120_000 + SECONDS * 10 * SECOND,
  );
});
