import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleTick } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { type Ojm, start } from "../packages/cli/src/testing/ojm.js";
import { collect } from "../packages/core/src/testing/settle.js";
import { onSharedStores } from "./support/stores.js";

/*
 * Three processes with one job file, and one of them killed every few seconds: each tick of the schedule is
 * run once.
 */

/** How long, in s. */
const SECONDS = Number(process.env["OJM_SCHEDULE_SECONDS"] ?? 15);
const PROCESSES = 3;
/** From one kill to the next, in ms, once all have started. */
const BETWEEN_KILLS = 2_500;
const SECOND = 1_000;

function jobFile({ chJobs, chLocks }: JobManagerOptions): string {
  return `include: [oJobManager.yaml]
ojob: { daemon: true }
jobs:
  - name: Init
    to: oJobManager Init
    args: ${JSON.stringify({ chJobs, chLocks })}
  - name: Every second
    typeArgs: { cron: "* * * * * *" }
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: { name: every-second }
    exec: sleep(100)
  - { name: Ready, exec: log("ready") }
todo: [Init, Every second, Ready]
`;
}

async function begin(folder: string): Promise<Ojm> {
  const ojm = start(folder, "run", "jobs.yaml");
  await ojm.prints("ready");
  return ojm;
}

/** The contents of the store when all processes have ended. */
interface Stored {
  readonly records: readonly RunRecord[];
  readonly ticks: readonly ScheduleTick[];
}

async function storedIn(options: JobManagerOptions): Promise<Stored> {
  await using manager = await openJobManager(options);
  await using scheduler = openScheduler(manager);
  const records = await collect(manager.history({ name: "every-second" }));
  const ticks = await collect(scheduler.ticks("every-second"));
  return { records: records.reverse(), ticks: ticks.reverse() };
}

onSharedStores({ first: ["redis"] }, (create) => {
  it(
    "each tick of a schedule is run once, whichever process is killed, and a tick is lost only with its process",
    async () => {
      const options = await create();
      const folder = folderWith({ "jobs.yaml": jobFile(options) });
      const all = await Promise.all(Array.from({ length: PROCESSES }, () => begin(folder)));
      const alive = [...all];
      let kills = 0;
      for (const end = performance.now() + SECONDS * SECOND; performance.now() < end; ) {
        await pause(BETWEEN_KILLS);
        const victim = alive.shift();
        victim?.process.kill("SIGKILL");
        await victim?.ended;
        kills++;
        const next = await begin(folder);
        all.push(next);
        alive.push(next);
      }
      for (const { process } of alive) process.kill("SIGTERM");
      for (const { ended } of alive) expect((await ended).code).toBe(143);

      // A process prints a tick only after it stored the outcome, so a killed process prints less.
      const { records, ticks } = await storedIn(options);
      const run = records.map(({ tick }) => tick ?? 0);
      expect(run).toEqual([...new Set(run)]);
      expect(ticks.filter(({ outcome }) => outcome === "run").map(({ at }) => at)).toEqual(run);
      expect(notOnce(ticks)).toEqual([]);
      const counts = { completed: 0, lost: 0, cancelled: 0 };
      for (const { status } of records) if (status in counts) counts[status as keyof typeof counts]++;
      expect(counts.completed).toBeGreaterThan(0);
      expect(counts.lost).toBeLessThanOrEqual(kills);
      // A process that gets SIGTERM just as a tick is due hands its run over before the function begins.
      const others = records.filter(({ status, handedOver }) => !(status in counts) && handedOver !== true);
      expect(others).toEqual([]);
      for (const { err } of all) expect(err).not.toMatch(/failed: (?!.*(?:SIGTERM|asked to stop|cancelled))/);
    },
    120_000 + SECONDS * 10 * SECOND,
  );
});

/**
 * The ticks from the first to the last that have no outcome, or several, each with its number of outcomes.
 */
function notOnce(ticks: readonly ScheduleTick[]): string[] {
  const outcomes = new Map<number, number>();
  for (const { at, until = at } of ticks)
    for (let tick = at; tick <= until; tick += SECOND) outcomes.set(tick, (outcomes.get(tick) ?? 0) + 1);
  const wrong: string[] = [];
  const last = Math.max(...outcomes.keys());
  for (let tick = ticks[0]?.at ?? 0; tick <= last; tick += SECOND) {
    const count = outcomes.get(tick) ?? 0;
    if (count !== 1) wrong.push(`${new Date(tick).toISOString()}: ${count}`);
  }
  return wrong;
}
