import { setTimeout as pause } from "node:timers/promises";
import { type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { expect, it } from "vitest";
import { folderWith, type Ojm, start } from "../packages/cli/src/testing/ojm.js";
import { onSharedStores } from "./support/stores.js";

/*
 * Three processes with one job file, and one of them killed every few seconds: each tick of the schedule is
 * run once.
 */

/** How long, in s. */
const SECONDS = Number(process.env["OJM_SCHEDULE_SECONDS"] ?? 15);
const PROCESSES = 3;
/** From one kill to the next, in ms, once all are there. */
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

/** What a process says of ticks that it did not run: those that somebody else ran are left out. */
function accounted(output: string): Set<number> {
  const ticks = new Set<number>();
  for (const [, at] of output.matchAll(/skipped at its tick of (\S+Z): (?!.*was run already)/g))
    ticks.add(Date.parse(at ?? ""));
  for (const [, at, since] of output.matchAll(/is due since (\S+Z): .* from (\S+Z) on, which are not run/g)) {
    for (let tick = Date.parse(since ?? ""); tick < Date.parse(at ?? ""); tick += SECOND) ticks.add(tick);
  }
  return ticks;
}

async function recordsOf(options: JobManagerOptions): Promise<RunRecord[]> {
  await using manager = await openJobManager(options);
  const records: RunRecord[] = [];
  for await (const record of manager.history({ name: "every-second" })) records.push(record);
  return records.reverse();
}

onSharedStores((create) => {
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

      const records = await recordsOf(options);
      const ticks = records.map(({ tick }) => tick ?? 0);
      expect(ticks).toEqual([...new Set(ticks)]);
      const unexplained = unaccounted(ticks, all);
      expect(unexplained).toEqual([]);
      const counts = { completed: 0, lost: 0, cancelled: 0, ...countBy(records) };
      expect(counts.completed).toBeGreaterThan(0);
      expect(counts.lost).toBeLessThanOrEqual(kills);
      expect(counts.completed + counts.lost + counts.cancelled).toBe(records.length);
      for (const { err } of all) expect(err).not.toMatch(/failed: (?!.*(?:SIGTERM|asked to stop|cancelled))/);
    },
    120_000 + SECONDS * 10 * SECOND,
  );
});

/** The ticks between the first and the last that were neither run nor accounted for by anybody. */
function unaccounted(ticks: readonly number[], processes: readonly Ojm[]): string[] {
  const known = new Set(ticks);
  for (const { out } of processes) for (const tick of accounted(out)) known.add(tick);
  const missing: string[] = [];
  for (let tick = ticks[0] ?? 0; tick < (ticks.at(-1) ?? 0); tick += SECOND) {
    if (!known.has(tick)) missing.push(new Date(tick).toISOString());
  }
  return missing;
}

function countBy(records: readonly RunRecord[]): Partial<Record<RunRecord["status"], number>> {
  const counts: Partial<Record<RunRecord["status"], number>> = {};
  for (const { status } of records) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
