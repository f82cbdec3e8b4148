/**
 * Faults of the original in launched jobs and dependencies.
 * @module-tag full
 */
import { folderWith } from "@ojm/testing/folder";
import { expect, it } from "vitest";
import { start } from "../../packages/cli/src/testing/ojm.js";
import { managed, onSqlite, records, run } from "./support.js";

it("D18: launched jobs run in a daemon, and their records are kept", async () => {
  const jobs = `  - { name: Parent, exec: "for (let i = 0; i < 3; i++) global.oJobManagerLaunchJob('Child', { i })" }
${managed("Child", 'print("child " + args.i)').replace("name: child", 'name: "child-{{i}}"')}`;
  const folder = folderWith({ "jobs.yaml": onSqlite(jobs, "Init, Parent", "ojob: { daemon: true }\n") });
  const ojm = start(folder, "run", "jobs.yaml");
  for (const i of [0, 1, 2]) await ojm.prints(`child ${i}`);
  ojm.process.kill("SIGTERM");
  expect((await ojm.ended).code).toBe(143);
  expect((await records(folder)).toSorted().map((record) => record.split(" ")[0])).toEqual([
    "child-0",
    "child-1",
    "child-2",
  ]);
});

it("D18: a process does not end before its launched jobs ran", async () => {
  const jobs = `  - { name: Parent, exec: "global.oJobManagerLaunchJob('Child')" }\n${managed("Child", "sleep(300); throw 'no'")}`;
  const folder = folderWith({ "jobs.yaml": onSqlite(jobs, "Init, Parent") });
  expect((await run(folder)).code).toBe(1);
  expect(await records(folder)).toEqual(["child failed no"]);
});

it("D20: a dependency is neither dropped nor an endless loop: the job waits, or is skipped and says why", async () => {
  const jobs = `  - { name: A, exec: print("A") }
  - { name: Fails, exec: throw 1 }
  - { name: B, deps: A, exec: print("B") }
  - { name: C, deps: Fails, exec: print("never") }
  - { name: D, deps: E, exec: print("never") }
  - { name: E }`;
  const folder = folderWith({ "jobs.yaml": onSqlite(jobs, "B, C, D, A, Fails") });
  const { code, out, err } = await run(folder);
  expect([code, out]).toEqual([1, "A\nB\n"]);
  expect(err).toMatch(/job "C" was skipped: it depends on "Fails", which failed/);
  expect(err).toMatch(/job "D" was skipped: it depends on "E", which was never requested/);
});
