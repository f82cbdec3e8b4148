import { type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { Scheduler, type ScheduleTick } from "@ojm/schedule";
import { describe, expect, it } from "vitest";
import { folderWith, type Ojm, start } from "../packages/cli/src/testing/ojm.js";
import { onSharedStores } from "./support/stores.js";

/* Schedules of job files that are in a store, by the words of `typeArgs`. */

const NAME = "every-second";
const SECOND = 1_000;

function jobFile({ chJobs, chLocks }: JobManagerOptions, typeArgs: string, exec: string): string {
  return `include: [oJobManager.yaml]
ojob: { daemon: true }
jobs:
  - name: Init
    to: oJobManager Init
    args: ${JSON.stringify({ chJobs, chLocks })}
  - name: Every second
    typeArgs: ${typeArgs}
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: { name: ${NAME} }
    exec: |
      ${exec}
  - { name: Ready, exec: log("ready") }
todo: [Init, Every second, Ready]
`;
}

async function begin(folder: string): Promise<Ojm> {
  const ojm = start(folder, "run", "jobs.yaml");
  await ojm.prints("ready");
  return ojm;
}

async function end(ojm: Ojm): Promise<void> {
  ojm.process.kill("SIGTERM");
  expect((await ojm.ended).code).toBe(143);
}

/** The records of the job, oldest first. */
async function recordsOf(options: JobManagerOptions): Promise<RunRecord[]> {
  await using manager = await openJobManager(options);
  const records: RunRecord[] = [];
  for await (const record of manager.history({ name: NAME })) records.unshift(record);
  return records;
}

/** The outcomes of the ticks, oldest first. */
async function ticksOf(options: JobManagerOptions): Promise<ScheduleTick[]> {
  await using manager = await openJobManager(options);
  await using scheduler = new Scheduler(manager);
  const ticks: ScheduleTick[] = [];
  for await (const tick of scheduler.ticks(NAME)) ticks.unshift(tick);
  return ticks;
}

/** Each second from the first tick to the last has one outcome. */
function expectEachOnce(ticks: readonly ScheduleTick[]): void {
  const covered = ticks.flatMap(({ at, until = at }) =>
    Array.from({ length: (until - at) / SECOND + 1 }, (_, i) => at + i * SECOND),
  );
  const first = ticks[0]?.at ?? 0;
  expect(covered).toEqual(Array.from({ length: covered.length }, (_, i) => first + i * SECOND));
}

onSharedStores((create) => {
  describe("a schedule of a job file", () => {
    it.each([
      ["was killed", "SIGKILL"],
      ["was told to stop", "SIGTERM"],
    ] as const)(
      "a run whose process %s is run again by another process, as the next attempt of its tick",
      async (_, signal) => {
        const options = await create();
        // The first run goes on until its process is gone.
        const exec = `if ($ch("oJobManager-jobs").getAll().length > 1) return;
      log("works");
      sleep(3600000);`;
        const words = '{ cron: "* * * * * *", retry: { attempts: 3, delay: 100, onLost: true } }';
        const folder = folderWith({ "jobs.yaml": jobFile(options, words, exec) });
        const [one, two] = await Promise.all([begin(folder), begin(folder)]);
        const first = await Promise.race([one, two].map((ojm) => ojm.prints("works").then(() => ojm)));
        first.process.kill(signal);
        await first.ended;
        const second = async (): Promise<RunRecord | undefined> =>
          (await recordsOf(options)).find(({ attempt, status }) => attempt === 2 && status === "completed");
        await expect.poll(second, { timeout: 60_000, interval: 500 }).toBeDefined();
        await end(first === one ? two : one);

        const [lost, ...others] = await recordsOf(options);
        expect(lost).toMatchObject({ status: "lost", attempt: 1, holder: { pid: first.process.pid } });
        expect(await second()).toMatchObject({ chain: lost?.id, tick: lost?.tick, trigger: "cron" });
        expect(others.filter(({ attempt }) => attempt !== 1)).toHaveLength(1);
        expectEachOnce(await ticksOf(options));
      },
      180_000,
    );

    it("each tick is run once by two processes that share the store, in order, with overlap: queue", async () => {
      const options = await create();
      const folder = folderWith({
        "jobs.yaml": jobFile(options, '{ cron: "* * * * * *", overlap: queue }', "sleep(300)"),
      });
      const both = await Promise.all([begin(folder), begin(folder)]);
      await expect
        .poll(async () => (await recordsOf(options)).length, { timeout: 60_000, interval: 500 })
        .toBeGreaterThan(4);
      await Promise.all(both.map(end));
      const ticks = await ticksOf(options);
      expectEachOnce(ticks);
      const records = (await recordsOf(options)).map(({ tick }) => tick);
      expect(records).toEqual(ticks.filter(({ outcome }) => outcome === "run").map(({ at }) => at));
    }, 120_000);
  });
});
