import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type JobManagerOptions, openJobManager, type RunRecord } from "@ojm/core";
import { openScheduler, type ScheduleTick } from "@ojm/schedule";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, it } from "vitest";
import { type Ojm, ojm, start } from "../packages/cli/src/testing/ojm.js";
import { Simulation } from "../packages/ojob/src/testing/simulate.js";
import { onSharedStores } from "./support/stores.js";

/* Schedules of job files that are in a store, by the settings of `typeArgs`. */

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
  await using scheduler = openScheduler(manager);
  const ticks: ScheduleTick[] = [];
  // A waiting tick has no outcome yet.
  for await (const tick of scheduler.ticks(NAME)) if (tick.outcome !== "waiting") ticks.unshift(tick);
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

describe("ticks while no process was there", () => {
  /** The output of a job file in a second process, five hours after the first one ended. */
  const afterDowntime = async (missed: string): Promise<readonly string[]> => {
    const file = join(folderWith({}), "ojm.db");
    const store = { type: "sqlite", args: { file } };
    const log = `log("ran " + new Date(nowUTC()).toISOString().slice(11, 16))`;
    const yaml = jobFile({ chJobs: store, chLocks: store }, `{ cron: "0 * * * *"${missed} }`, log);
    const first = new Simulation("2026-05-01T00:30:00Z", yaml);
    await first.until("2026-05-01T01:10:00Z");
    expect((await first.stop()).lines).toContain("ran 01:00");
    const second = new Simulation("2026-05-01T05:30:00Z", yaml);
    await second.until("2026-05-01T06:10:00Z");
    return (await second.stop()).lines.filter((line) => line !== "ready");
  };

  it("by default none of them is run, and the log says which", async () => {
    expect(await afterDowntime("")).toEqual([
      expect.stringMatching(
        /^"Every second" is not run for 3 ticks from 2026-05-01T02:00:00.000Z to .*T04:00:00.000Z: no process was there$/,
      ),
      expect.stringMatching(
        /^"Every second" is not run for its tick of 2026-05-01T05:00:00.000Z: no process was there$/,
      ),
      "ran 06:00",
    ]);
  });

  it("with missed: latest, the newest of them is run", async () => {
    expect(await afterDowntime(", missed: latest")).toEqual([
      expect.stringMatching(
        /^"Every second" has been due since 2026-05-01T05:00:00.000Z: no process was there. It replaces 3 ticks from/,
      ),
      "ran 05:30",
      "ran 06:00",
    ]);
  });

  it("with missed: all, each of them is run, and with missed: none, none", async () => {
    expect(await afterDowntime(", missed: all")).toEqual([...Array(4).fill("ran 05:30"), "ran 06:00"]);
    const none = await afterDowntime(", missed: none");
    expect(none.filter((line) => line.startsWith("ran"))).toEqual(["ran 06:00"]);
  });
});

it("ojm run-now NAME key=value gives args to the script of a job file", async () => {
  const folder = folderWith({});
  const store = { type: "sqlite", args: { file: join(folder, "ojm.db") } };
  const exec = 'log("the day is " + args.day)';
  const yaml = jobFile({ chJobs: store, chLocks: store }, '{ cron: "0 0 1 1 *" }', exec);
  writeFileSync(join(folder, "jobs.yaml"), yaml.replace(`name: ${NAME} }`, `name: ${NAME}, day: today }`));
  const running = await begin(folder);
  const asked = await ojm(folder, "run-now", NAME, "day=2026-11-01", "--reason", "a test", "--store", "jobs.yaml");
  expect(asked).toMatchObject({ code: 0 });
  await running.prints("the day is 2026-11-01");
  await end(running);
}, 60_000);

onSharedStores({ first: ["sqlite, one file"] }, (create) => {
  describe("a schedule of a job file", () => {
    it.each([
      ["was killed", "next", "SIGKILL", { status: "lost" }, 2],
      ["was sent a signal to stop", "same", "SIGTERM", { status: "skipped", handedOver: true }, 1],
    ] as const)(
      "a run whose process %s is run again by another process, as the %s attempt of its tick",
      async (_, __, signal, ended, again) => {
        const options = await create();
        // The first run continues until its process is gone.
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
          (await recordsOf(options)).find(
            ({ attempt, chain, status }) => attempt === again && chain !== undefined && status === "completed",
          );
        await expect.poll(second, { interval: 500 }).toBeDefined();
        await end(first === one ? two : one);

        const [lost, ...others] = await recordsOf(options);
        expect(lost).toMatchObject({ ...ended, attempt: 1, holder: { pid: first.process.pid } });
        expect(await second()).toMatchObject({ chain: lost?.id, tick: lost?.tick, trigger: "cron" });
        expect(others.filter(({ chain }) => chain !== undefined)).toHaveLength(1);
        expectEachOnce(await ticksOf(options));
      },
      180_000,
    );

    it("of three schedules in two processes, as many run at once as there are permits", async () => {
      const options = await create();
      const folder = folderWith({ bodies: "" });
      const bodies = join(folder, "bodies");
      const write = (what: string): string => `require("fs").appendFileSync(${JSON.stringify(bodies)}, "${what}\\n");`;
      const one = jobFile(
        options,
        '{ cron: "* * * * * *", permits: { api: 2 } }',
        `${write("+")} sleep(700); ${write("-")}`,
      );
      const [head = "", job = "", tail = ""] = one.split(/(?= {2}- name: Every second)|(?= {2}- \{ name: Ready)/);
      const jobs = ["a", "b", "c"].map((name) => job.replaceAll("Every second", name).replaceAll(NAME, name));
      writeFileSync(join(folder, "jobs.yaml"), [head, ...jobs, tail.replace("Every second", "a, b, c")].join(""));
      const both = await Promise.all([begin(folder), begin(folder)]);
      const lines = (): string[] => readFileSync(bodies, "utf8").trim().split("\n");
      await expect.poll(() => lines().length, { interval: 500 }).toBeGreaterThan(20);
      // A job that its process ends while it sleeps writes no "-".
      const written = lines();
      await Promise.all(both.map(end));
      let inside = 0;
      const counts = written.map((line) => (inside += line === "+" ? 1 : -1));
      expect(Math.max(...counts)).toBe(2);
      await using manager = await openJobManager(options);
      for (const name of ["a", "b", "c"])
        for await (const record of manager.history({ name, limit: 1 }))
          expect(record).toMatchObject({ permits: { api: 2 } });
    }, 120_000);

    it("each tick is run once by two processes that share the store, in order, with overlap: queue", async () => {
      const options = await create();
      const folder = folderWith({
        "jobs.yaml": jobFile(options, '{ cron: "* * * * * *", overlap: queue }', "sleep(300)"),
      });
      const both = await Promise.all([begin(folder), begin(folder)]);
      await expect.poll(async () => (await recordsOf(options)).length, { interval: 500 }).toBeGreaterThan(4);
      await Promise.all(both.map(end));
      const ticks = await ticksOf(options);
      expectEachOnce(ticks);
      const records = (await recordsOf(options)).map(({ tick }) => tick);
      expect(records).toEqual(ticks.filter(({ outcome }) => outcome === "run").map(({ at }) => at));
    }, 120_000);
  });
});
