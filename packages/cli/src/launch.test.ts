import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { ojm, start } from "./testing/ojm.js";

const JOBS = `jobs:
  - name: Night
    exec: for (const name of ["Load", "Transform", "Extract"]) global.oJobManagerLaunchJob(name)
  - { name: Extract, exec: "sleep(20); if (args.broken) throw new Error('no data'); print('extracted')" }
  - { name: Transform, deps: Extract, exec: print('transformed') }
  - { name: Load, deps: Transform, exec: print('loaded') }
`;

test("launched jobs all run before the process ends, in the order of their dependencies", async () => {
  const folder = folderWith({ "a.yaml": `${JOBS}todo: [Night]\n` });
  expect(await ojm(folder, "run", "a.yaml")).toMatchObject({ code: 0, out: "extracted\ntransformed\nloaded\n" });
});

test("a launched job that fails, and those that are skipped for it, make the exit code 1, each with its reason", async () => {
  const folder = folderWith({ "a.yaml": `${JOBS}todo: [Night]\n` });
  const { code, out, err } = await ojm(folder, "run", "a.yaml", "broken=true");
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(/job "Extract" failed: no data/);
  expect(err).toMatch(/job "Transform" was skipped: it depends on "Extract", which failed/);
  expect(err).toMatch(/job "Load" was skipped: it depends on "Transform", which was skipped/);
});

test("a job that depends on one that is never requested is skipped, and the exit code is 1", async () => {
  const folder = folderWith({ "a.yaml": `${JOBS}todo: [Load]\n` });
  const { code, err } = await ojm(folder, "run", "a.yaml");
  expect(code).toBe(1);
  expect(err).toMatch(/job "Load" was skipped: it depends on "Transform", which was never requested/);
});

test.each([
  ["a circle of deps", "jobs: [{name: A, deps: B}, {name: B, deps: A}]\ntodo: [A]\n", /"A" → "B" → "A"/],
  [
    "deps on an unknown job",
    "jobs: [{name: A, deps: Extrakt}, {name: Extract}]\ntodo: [A]\n",
    /Did you mean "Extract"\?/,
  ],
])("%s is found before anything starts: exit code 2", async (_, yaml, message) => {
  const { code, err } = await ojm(folderWith({ "a.yaml": yaml }), "run", "a.yaml");
  expect(code).toBe(2);
  expect(err).toMatch(message);
});

test("a daemon that gets SIGTERM skips what waits, runs its shutdown jobs and ends with 143", async () => {
  const yaml = `ojob: { daemon: true }
jobs:
  - { name: Close, type: shutdown, exec: print('closed') }
  - { name: Work, exec: print('up') }
  - { name: Waits, deps: Never }
  - { name: Never }
todo: [Close, Work, Waits]
`;
  const process = start(folderWith({ "a.yaml": yaml }), "run", "a.yaml");
  await process.prints("up");
  process.process.kill("SIGTERM");
  const { code, out, err } = await process.ended;
  expect([code, out]).toEqual([143, "up\nclosed\n"]);
  expect(err).toMatch(/job "Waits" was skipped: SIGTERM/);
});
