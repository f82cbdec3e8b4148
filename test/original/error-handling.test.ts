/**
 * Faults of the original in what happens when something fails. The numbers are those of the list of its
 * faults.
 * @module-tag full
 */
import { join } from "node:path";
import { openJobManager } from "@ojm/core";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, it } from "vitest";
import { start } from "../../packages/cli/src/testing/ojm.js";
import { locks, managed, onSqlite, records, run } from "./support.js";

describe("D1 D2: documented error handling cannot run, or silently does nothing", () => {
  it("`catch: oJobManager Error` closes the run as failed and frees the lock; the exit code shows it", async () => {
    const folder = folderWith({ "jobs.yaml": onSqlite(managed("Work", 'throw new Error("broken");'), "Init, Work") });
    const { code, err } = await run(folder);
    expect(code).toBe(1);
    expect(err).toContain('job "Work" failed: broken');
    expect(await records(folder)).toEqual(["work failed broken"]);
    expect(await locks(folder)).toEqual(["work free"]);
  });

  it("a hand-written catch that hands its error to oJobManager Error does the same", async () => {
    const job = `  - name: Work
    from: oJobManager Job Start
    args: { name: work }
    exec: |
      try {
        throw new Error("risky");
      } catch(e) {
        $job("oJobManager Error", { name: args.name, e: e });
        throw e;
      }
`;
    const folder = folderWith({ "jobs.yaml": onSqlite(job, "Init, Work") });
    expect((await run(folder)).code).toBe(1);
    expect(await records(folder)).toEqual(["work failed risky"]);
    expect(await locks(folder)).toEqual(["work free"]);
  });
});

describe("D3: a failed Init becomes a lock in memory", () => {
  it("no managed body runs after an Init that failed", async () => {
    const broken = onSqlite(managed("Work", 'print("the body ran");'), "Init, Work").replaceAll(
      "./ojm.db",
      "/dev/null/x.db",
    );
    const { code, out, err } = await run(folderWith({ "jobs.yaml": broken }));
    expect(code).toBe(1);
    expect(out).not.toContain("the body ran");
    expect(err).toContain("oJobManager Init failed");
  });
});

describe("D4: a loser's error handler unlocks the winner", () => {
  it("the winner's lock stays its own, with the fence it had", async () => {
    const folder = folderWith({
      "jobs.yaml": onSqlite(managed("Work", 'print("in"); sleep(args.ms, true);'), "Init, Work"),
    });
    const winner = start(folder, "run", "jobs.yaml", "ms=60000");
    await winner.prints("in");
    const channel = { type: "sqlite", args: { file: join(folder, "ojm.db") } };
    await using manager = await openJobManager({ chJobs: channel, chLocks: channel });
    const before = await manager.heldLocks();
    expect(before).toMatchObject([{ name: "work", holder: { pid: winner.process.pid } }]);
    for (const _ of [1, 2]) {
      const { code, out } = await run(folder, "ms=0");
      expect([code, out]).toEqual([1, ""]);
      expect(await manager.heldLocks()).toEqual(before);
    }
    expect(await records(folder)).toEqual(["work running"]);
    expect((await manager.openRecords()).map(({ fence }) => fence)).toEqual([before[0]?.fence]);
  });
});

describe("D7: an error relabels finished, successful records of other runs", () => {
  it("the record of a run that went well stays as it is", async () => {
    const script = 'if (args.fail) throw "the second";';
    const folder = folderWith({ "jobs.yaml": onSqlite(managed("Work", script), "Init, Work") });
    expect((await run(folder)).code).toBe(0);
    expect((await run(folder, "fail=true")).code).toBe(1);
    expect(await records(folder)).toEqual(["work failed the second", "work completed"]);
  });
});

describe("D8 D9: ending what was never started", () => {
  it("is an error, writes no record, and takes no other holder's lock", async () => {
    const stray = `  - name: Stray
    exec: |
      $job("oJobManager Job End", { name: "work" });
`;
    const jobs = managed("Work", 'print("in"); sleep(60000, true);');
    const folder = folderWith({
      "jobs.yaml": onSqlite(jobs, "Init, Work"),
      "stray.yaml": onSqlite(stray, "Init, Stray"),
    });
    const holder = start(folder, "run", "jobs.yaml");
    await holder.prints("in");
    const { code, err } = await start(folder, "run", "stray.yaml").ended;
    expect(code).toBe(1);
    expect(err).toContain('no run of "work" is open here');
    expect(await locks(folder)).toEqual(["work held"]);
    expect(await records(folder)).toEqual(["work running"]);
  });

  it("of many runs that ended, nothing is left over", async () => {
    // One entry names the process that sweeps for all: the first sweep creates it, and it stays.
    const left = '$ch("oJobManager-locks").getKeys().filter((key) => key[0] !== "sweep").length';
    const script = `for (var i = 0; i < 30; i++) { $job("Work"); } print(${left});`;
    const caller = `  - name: Caller\n    exec: |\n      ${script}\n`;
    const { code, out } = await run(
      folderWith({ "jobs.yaml": onSqlite(managed("Work", "args.x = 1;") + caller, "Init, Caller") }),
    );
    // The session of the process itself.
    expect([code, out]).toEqual([0, "1\n"]);
  });
});

describe("D11: the lock leaks", () => {
  const ways: readonly (readonly [how: string, script: string, args: string, record: RegExp])[] = [
    ["on return", "return;", "", /^work completed$/],
    ["on an uncaught error", 'throw "x";', "", /^work failed x$/],
    [
      "on a rejection that no code awaits",
      'Promise.reject(new Error("late")); sleep(50, true);',
      "",
      /^work failed late/,
    ],
    ["on a timeout", "for (;;) {}", ", timeout: 200", /^work timeout /],
    ["on process.exit", "process.exit(0);", "", /^work failed /],
  ];
  it.each(ways)("%s", async (_how, script, args, record) => {
    const folder = folderWith({ "jobs.yaml": onSqlite(managed("Work", script, args), "Init, Work") });
    await run(folder);
    expect(await locks(folder)).toEqual(["work free"]);
    expect(await records(folder)).toEqual([expect.stringMatching(record)]);
  });

  it.each([
    ["SIGTERM", "cancelled"],
    ["SIGKILL", "lost"],
  ] as const)("on %s", async (signal, status) => {
    const folder = folderWith({
      "jobs.yaml": onSqlite(managed("Work", 'print("in"); sleep(args.ms, true);'), "Init, Work"),
    });
    const holder = start(folder, "run", "jobs.yaml", "ms=60000");
    await holder.prints("in");
    holder.process.kill(signal);
    await holder.ended;
    expect((await run(folder, "ms=0")).code).toBe(0);
    expect(await records(folder)).toEqual(["work completed", expect.stringMatching(new RegExp(`^work ${status}`))]);
    expect(await locks(folder)).toEqual(["work free"]);
  });
});
