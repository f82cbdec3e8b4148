/**
 * Faults of the original in how it is called and how it ends.
 * @module-tag full
 */
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, it } from "vitest";
import { ojm, start } from "../../packages/cli/src/testing/ojm.js";
import { locks, managed, onSqlite, records, run } from "./support.js";

describe("D12: `timeout=5000` from the command line is a text", () => {
  const jobs = managed("Work", 'print("in"); sleep(60000, true);');

  it("is a number of milliseconds, and ends the run", async () => {
    const folder = folderWith({ "jobs.yaml": onSqlite(jobs, "Init, Work") });
    expect((await run(folder, "timeout=300")).code).toBe(1);
    expect(await records(folder)).toEqual([expect.stringMatching(/^work timeout .*300 ms$/)]);
  });

  it.each(["timeout=-1", "timeout=0", "timeout=1h"])("%s is refused before anything runs", async (word) => {
    const folder = folderWith({ "jobs.yaml": onSqlite(jobs, "Init, Work") });
    const { code, out, err } = await run(folder, word);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain('"timeout" must be a number of milliseconds, more than 0');
  });
});

describe("D16: a second Init with other channels is silently ignored", () => {
  it("is an error that says so", async () => {
    const other = `  - name: Other
    to: oJobManager Init
    args: { chJobs: { type: db, args: { file: ./other.db } } }
`;
    const { code, err } = await run(folderWith({ "jobs.yaml": onSqlite(other, "Init, Other") }));
    expect(code).toBe(1);
    expect(err).toContain("oJobManager is initialised already, on other channels");
  });
});

describe("D17: a forced unlock from another process does nothing and exits with 0", () => {
  it("frees the lock, signals the holder, leaves an audit record, and prints what it did", async () => {
    const unlock = `  - name: Unlock
    exec: |
      print(global.__oJobManager.jobLocks.unlock("work") + " " + global.__oJobManager.jobLocks.unlock("nobody"));
      print($ch("oJobManager-locks").getKeys().filter(key => key[0] == "audit").length);
`;
    const folder = folderWith({
      "jobs.yaml": onSqlite(managed("Work", 'print("in"); sleep(60000, true);'), "Init, Work"),
      "unlock.yaml": onSqlite(unlock, "Init, Unlock"),
    });
    const holder = start(folder, "run", "jobs.yaml");
    await holder.prints("in");
    const { code, out } = await ojm(folder, "run", "unlock.yaml");
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`unlocked "work", which .*pid ${holder.process.pid}, held`));
    expect(out).toContain('the lock "nobody" is free');
    expect(out).toContain("true false\n1\n");
    expect((await holder.ended).code).toBe(1);
    expect(await locks(folder)).toEqual(["work free"]);
    expect(await records(folder)).toEqual([expect.stringMatching(/^work cancelled unlocked by force/)]);
  });
});

describe("D19: exit code 0 on a missing file, bad YAML, an unknown job", () => {
  it.each([
    ["a missing file", undefined, /there is no file jobs\.yaml/],
    ["bad YAML", "jobs: [", /jobs\.yaml:1:\d+: error: this is not valid YAML/],
    [
      "an unknown job",
      "jobs: [{ name: Work }]\ntodo: [Wrok]\n",
      /names the job "Wrok", which does not exist\. Did you mean "Work"\?/,
    ],
  ])("%s is 2", async (_what, text, message) => {
    const { code, out, err } = await run(folderWith(text === undefined ? {} : { "jobs.yaml": text }));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

describe("D21 D22: hangs at exit, log lines lost at exit", () => {
  it("ends by itself whatever a script left running, with every line written", async () => {
    const work = `  - name: Work
    exec: |
      setInterval(() => {}, 1000);
      for (var i = 1; i <= 20000; i++) log("line " + i);
`;
    const { code, out } = await run(folderWith({ "jobs.yaml": onSqlite(work, "Init, Work") }));
    const lines = out
      .split("\n")
      .slice(0, -1)
      .map((line) => line.replace(/^.* \| /, ""));
    expect(code).toBe(0);
    expect(lines).toEqual(Array.from({ length: 20_000 }, (_, i) => `line ${i + 1}`));
  });
});

describe("D24: monitoring shows the oldest run as the current one", () => {
  it("the jobs channel lists the newest run first", async () => {
    const look = `  - name: Look
    exec: |
      var mine = $ch("oJobManager-jobs").getAll().filter(j => j.name == "work");
      print(mine.length + " " + mine[0].inError);
`;
    const jobs = managed("Work", 'if (args.fail) throw "x";') + look;
    const folder = folderWith({ "jobs.yaml": onSqlite(jobs, "Init, Work, Look") });
    expect((await run(folder)).out).toBe("1 false\n");
    expect((await run(folder, "fail=true")).out).toBe("2 true\n");
  });
});
