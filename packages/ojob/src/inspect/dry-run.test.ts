import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runText } from "../testing/run-file.js";
import { Simulation } from "../testing/simulate.js";
import { describeRun } from "./dry-run.js";

function dryRun(yaml: string): Promise<string> {
  return describeRun(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"), {});
}

test("a dry run shows args that are code, and evaluates none", async () => {
  const yaml = 'jobs: [{ name: A, args: "({ a: nope })" }]\ntodo: [{ name: A, args: "[nope]" }]\n';
  expect(await dryRun(yaml)).toMatch(/^ +args by +\[nope\], \(\{ a: nope \}\)$/m);
});

describe("a dry run of a job with a matrix", () => {
  test("a dry run shows the lock of each combination", async () => {
    const yaml = `include: oJobManager.yaml
jobs:
  - name: Build
    matrix: { os: [a, b] }
    from: oJobManager Job Start
    to: oJobManager Job End
    args: { name: "build-{{os}}" }
    exec: print(1)
todo: [Build]
`;
    expect(await dryRun(yaml)).toMatch(/^ +lock +build-a, build-b$/m);
  });

  test("a dry run shows each combination, how many run at once, and what a failure does", async () => {
    const yaml = `jobs:
  - name: Build
    matrix: { os: [a, b], version: [1, 2], exclude: [{ os: b, version: 1 }] }
    typeArgs: { maxParallel: 2 }
    args: { name: "build-{{os}}" }
    exec: print(1)
todo: [Build]
`;
    const text = await dryRun(yaml);
    expect(text).toMatch(/^ +runs +3 times, at most 2 at once\. The first failure stops the others$/m);
    expect(text.match(/^ +args .*$/gm)?.map((line) => line.replace(/^ +args +/, ""))).toEqual([
      '{"os":"a","version":1,"name":"build-a"}',
      '{"os":"a","version":2,"name":"build-a"}',
      '{"os":"b","version":2,"name":"build-b"}',
    ]);
  });

  test("a dry run of a list of args says only what the file says of its runs", async () => {
    const list = (typeArgs: string): string =>
      `jobs: [{ name: A, args: [{ a: 1 }, { a: 2 }], typeArgs: ${typeArgs}, exec: print(1) }]\ntodo: [A]\n`;
    expect(await dryRun(list("{}"))).not.toMatch(/runs/);
    expect(await dryRun(list("{ failFast: true }"))).toMatch(/runs +2 times\. The first failure stops the others$/m);
    expect(await dryRun(list("{ single: true, failFast: false }"))).toMatch(/runs +2 times, one after the other$/m);
  });

  test("a dry run says that a subscription runs for the entries that exist, unless onlyFromNow is written", async () => {
    const follow = (more: string): string =>
      `jobs: [{ name: A, type: subscribe, typeArgs: { chSubscribe: c${more} }, exec: print(1) }]\ntodo: [A]\n`;
    expect(await dryRun(follow(""))).toMatch(/runs +for each entry and each change of the channel c$/m);
    expect(await dryRun(follow(", onlyFromNow: true"))).toMatch(/runs +for each change of the channel c$/m);
  });
});

describe("what a dry run says is what the run does", () => {
  const START = "2026-05-01T00:30:00Z";
  const { TZ } = process.env;

  beforeEach(() => {
    process.env["TZ"] = "Asia/Kathmandu";
  });

  afterEach(() => {
    if (TZ === undefined) delete process.env["TZ"];
    else process.env["TZ"] = TZ;
    vi.useRealTimers();
  });

  test.each([
    ["no time zone", "{}", ""],
    ["the time zone of the machine", "{ cronInLocalTime: true }", ""],
    ["a time zone of the job", "{ cronInLocalTime: true }", ", timeZone: Europe/Lisbon"],
  ])("the first run of a schedule is when the dry run says, with %s", async (_, settings, zone) => {
    const yaml = `ojob: ${settings}
jobs: [{ name: A, typeArgs: { cron: "0 7 * * *"${zone} }, exec: log(new Date(nowUTC()).toISOString()) }]
todo: [A]
`;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(START) });
    const [, next = ""] = /next at (\S+)/.exec(await dryRun(yaml)) ?? [];
    vi.useRealTimers();
    const simulation = new Simulation(START, yaml);
    await simulation.until("2026-05-01T20:00:00Z");
    const { lines } = await simulation.stop();
    expect(lines.map((line) => line.slice(0, 16))).toEqual([next.slice(0, 16)]);
  });

  test.each([
    "{}",
    "{ async: true }",
    "{ sequential: false }",
    "{ sequential: false, async: false }",
    "{ async: true, sequential: true }",
  ])("the items of the todo run in the order that the dry run says, with %s", async (settings) => {
    const file = (a: string): string => `ojob: ${settings}
jobs:
  - name: A
    typeArgs: { timeout: 60000 }
    exec: |
      ${a}
      log("A");
  - { name: B, exec: "log('B'); $set('b', true)" }
todo: [A, B]
`;
    const [, order] = /would run, (.*):$/m.exec(await dryRun(file("sleep(50);"))) ?? [];
    if (order === "one after the other") {
      expect((await runText(file("sleep(50);"))).lines).toEqual(["A", "B"]);
    } else {
      expect(order).toBe("all at once, except jobs that wait for others");
      expect((await runText(file("while (!$get('b')) sleep(5);"))).lines).toEqual(["B", "A"]);
    }
  });
});
