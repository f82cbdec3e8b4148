import { readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { type Ojm, ojm, start } from "./testing/ojm.js";

/** A managed job on SQLite with this script. */
function managed(code: string): Record<string, string> {
  const yaml = `include: [oJobManager.yaml]
jobs:
  - name: Init
    to: oJobManager Init
    args:
      chJobs: { type: db, args: { file: ./data/jobs.db } }
      chLocks: { type: db, args: { file: ./data/locks.db } }
  - name: Work
    from: oJobManager Job Start
    to: oJobManager Job End
    catch: oJobManager Error
    args: { name: work }
    exec: |
      ${code}
todo: [Init, Work]
`;
  return { "a.yaml": yaml };
}

async function history(folder: string): Promise<string[]> {
  const { out } = await ojm(folder, "history", "a.yaml");
  return out.split("\n").slice(2, -1);
}

async function lockState(folder: string): Promise<string> {
  return (await ojm(folder, "locks", "a.yaml")).out.split("\n")[2] ?? "";
}

const HOLD = 'print("holding"); sleep(60000, true);';

async function holder(folder: string): Promise<Ojm> {
  const process = start(folder, "run", "a.yaml");
  await process.prints("holding");
  return process;
}

describe("two processes on one job file", () => {
  test("a process that does not get the lock names the holder, ends with 1, leaves no record and spares the lock", async () => {
    const folder = folderWith(managed(HOLD));
    const winner = await holder(folder);
    const { code, out, err } = await ojm(folder, "run", "a.yaml");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("Can't lock to execute job 'work': held by ");
    expect(err).toMatch(new RegExp(`pid ${winner.process.pid}, since \\d{4}-`));
    expect(await history(folder)).toEqual([expect.stringMatching(/^work .* running/)]);
    expect(await lockState(folder)).toMatch(new RegExp(`^work +held +.*pid ${winner.process.pid} `));
  });

  test("a second process that waits takes over the lock when the first process is done in time", {
    tags: ["full"],
  }, async () => {
    const folder = folderWith(managed('print("holding"); sleep(args.ms);'));
    const first = start(folder, "run", "a.yaml", "ms=1000");
    await first.prints("holding");
    expect((await ojm(folder, "run", "a.yaml", "ms=0")).code).toBe(0);
    expect((await first.ended).code).toBe(0);
    expect(await history(folder)).toEqual([expect.stringMatching(/completed/), expect.stringMatching(/completed/)]);
    expect(await lockState(folder)).toMatch(/^work +free$/);
  });

  test("after kill -9 of the holder the next process runs, and the dead run is closed as lost, once", async () => {
    const folder = folderWith(managed('print("holding"); if (args.hold) sleep(60000);'));
    const dead = start(folder, "run", "a.yaml", "hold=true");
    await dead.prints("holding");
    dead.process.kill("SIGKILL");
    await dead.ended;
    expect((await ojm(folder, "run", "a.yaml")).code).toBe(0);
    expect(await history(folder)).toEqual([
      expect.stringMatching(/^work .* completed/),
      expect.stringMatching(/^work .* lost/),
    ]);
  });
});

describe("a signal", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)(
    "%s signals the job, closes its run as cancelled and releases its lock",
    { tags: ["full"] },
    async (signal, code) => {
      const cleanUp =
        'print("holding"); try { sleep(60000) } catch (e) { require("fs").writeFileSync("told", e.code); throw e }';
      const folder = folderWith(managed(cleanUp));
      const process = await holder(folder);
      process.process.kill(signal);
      expect((await process.ended).code).toBe(code);
      expect(readFileSync(join(folder, "told"), "utf8")).toBe("CANCELLED");
      expect(await history(folder)).toEqual([expect.stringMatching(/^work .* cancelled/)]);
      expect(await lockState(folder)).toMatch(/^work +free$/);
    },
  );

  test("a second signal ends a job that does not listen, and its run is closed as cancelled", {
    tags: ["full"],
  }, async () => {
    const folder = folderWith(managed('print("holding"); for (;;) {}'));
    const process = await holder(folder);
    process.process.kill("SIGINT");
    process.process.kill("SIGTERM");
    expect((await process.ended).code).toBeOneOf([130, 143]);
    expect(await history(folder)).toEqual([expect.stringMatching(/^work .* cancelled/)]);
  });
});

test("ojm history prints the whole error of a run on one line", { tags: ["full"] }, async () => {
  const folder = folderWith(managed('throw new Error("x".repeat(200) + "\\nthe reason")'));
  expect((await ojm(folder, "run", "a.yaml")).code).toBe(1);
  expect(await history(folder)).toEqual([expect.stringMatching(/^work .* failed .* x{200} the reason$/)]);
});

test("ojm history prints on the line of a run the failures after which it continued", async () => {
  const step = (name: string): string => `{ name: ${name}, continueOnError: true }`;
  const jobs = `jobs:
  - { name: Bad, exec: "throw new Error('no luck')" }
  - { name: Worse, exec: "throw new Error('none')" }`;
  const yaml = (managed("log('on')")["a.yaml"] ?? "").replace("jobs:", jobs);
  const from = (...steps: string[]): string =>
    yaml.replace("from: oJobManager Job Start", `from: [oJobManager Job Start, ${steps}]`);
  const folder = folderWith({ "a.yaml": from(step("Bad"), step("Worse")), "b.yaml": from(step("Bad")) });
  for (const file of ["b.yaml", "a.yaml"]) expect((await ojm(folder, "run", file)).code).toBe(0);
  expect(await history(folder)).toEqual([
    expect.stringMatching(
      /^work .* completed .* 2 warnings: the step "Bad" .*no luck \(.*\); the step "Worse" .*none \(/,
    ),
    expect.stringMatching(/^work .* completed .* {2}warning: the step "Bad" of "Work" failed, and .*: no luck \(/),
  ]);
});

test("a reader of the output that goes away does not end the job", { tags: ["full"] }, async () => {
  const folder = folderWith(managed('print("holding"); sleep(300); for (let i = 0; i < 2000; i++) log("line " + i);'));
  const process = await holder(folder);
  process.process.stdout?.destroy();
  expect((await process.ended).code).toBe(0);
  expect(await history(folder)).toEqual([expect.stringMatching(/completed/)]);
});

function deleteStore(path: string): void {
  for (const end of ["", "-wal", "-shm"]) rmSync(`${path}${end}`, { force: true });
}

test("a daemon whose store was replaced ends with 5: idle for ever, it would look well to its supervisor", async () => {
  const files = managed('print("ticked")');
  const scheduled = files["a.yaml"]
    ?.replaceAll("./data/locks.db", "./data/jobs.db")
    .replace("  - name: Work\n", '  - name: Work\n    typeArgs: { cron: "* * * * * *" }\n');
  const folder = folderWith({ "a.yaml": scheduled ?? "" });
  const daemon = start(folder, "run", "a.yaml");
  await daemon.prints("ticked");
  // Like the restore of a backup: afterwards the file is another one.
  const path = join(folder, "data", "jobs.db");
  deleteStore(path);
  const other = start(folder, "exec", "other", "--store", "sqlite:data/other.db", "--", "true");
  expect((await other.ended).code).toBe(0);
  renameSync(join(folder, "data", "other.db"), path);
  const { code, err } = await daemon.ended;
  expect([code, err]).toEqual([
    5,
    expect.stringMatching(/ojm: SQLite file .*jobs\.db was deleted or replaced.*\nSee \S+#gone$/m),
  ]);
});

test("a daemon without schedules whose store was deleted ends with 5 too", { tags: ["full"] }, async () => {
  const files = managed('print("ticked")');
  const repeated = files["a.yaml"]
    ?.replaceAll("./data/locks.db", "./data/jobs.db")
    .replace("  - name: Work\n", "  - name: Work\n    type: periodic\n    typeArgs: { timeInterval: 500 }\n");
  const folder = folderWith({ "a.yaml": repeated ?? "" });
  const daemon = start(folder, "run", "a.yaml");
  await daemon.prints("ticked");
  deleteStore(join(folder, "data", "jobs.db"));
  expect((await daemon.ended).code).toBe(5);
});
