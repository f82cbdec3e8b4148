import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { runText, script } from "../testing/run-file.js";

function withOjob(ojob: string, code = "log('a'); logErr('b'); print('c')"): string {
  return `ojob:\n  ${ojob}\n${script(code)}`;
}

function logFile(folder: string): string[] {
  const [name, ...more] = readdirSync(folder);
  expect(more).toEqual([]);
  return readFileSync(join(folder, name ?? ""), "utf8")
    .split("\n")
    .slice(0, -1);
}

describe("ojob.logToFile", () => {
  test("logToFile writes log calls into the file of the day too, in order, but not what scripts print", async () => {
    const folder = join(folderWith({}), "logs");
    const { out, err } = await runText(withOjob(`logToFile: { logFolder: ${folder} }`));
    expect(out).toMatch(/\| INFO {2}\| a\nc\n$/);
    expect(err).toMatch(/\| ERROR \| b\n/);
    expect(logFile(folder)).toEqual([
      expect.stringMatching(/^\d{4}-.*Z \| INFO {2}\| a$/),
      expect.stringMatching(/^\d{4}-.*Z \| ERROR \| b$/),
    ]);
  });

  test("logToFile with setLogOff writes into the file only", async () => {
    const folder = join(folderWith({}), "logs");
    const { out, err } = await runText(withOjob(`logToFile: { logFolder: ${folder}, setLogOff: true }`));
    expect(out).toBe("c\n");
    expect(err).not.toMatch(/ERROR/);
    expect(logFile(folder)).toHaveLength(2);
  });

  test("logToFile in a folder that cannot be written is a warning: the job runs, and its log is shown", async () => {
    const { well, lines, err } = await runText(withOjob("logToFile: { logFolder: /proc/none, setLogOff: true }"));
    expect({ well, lines }).toEqual({ well: true, lines: ["a"] });
    expect(err.match(/warning: the log file cannot be written: .*\/proc\/none/g)).toHaveLength(1);
  });

  test("logToFile loses no line of a script that ends its thread, fills its memory or never ends", async () => {
    const folder = folderWith({});
    const yaml = `include: oJobManager.yaml
ojob: { logToFile: { logFolder: ${folder}, setLogOff: true } }
jobs:
  - { name: A, exec: "for (let i = 0; i < 2000; i++) log('A' + i); process.exit(1)" }
  - { name: B, exec: "log('B0'); const all = []; for (;;) all.push(new Array(1000).fill(all.length))" }
  - { name: C, from: oJobManager Job Start, args: { name: c, timeout: 5000 }, exec: "log('C0'); for (;;) {}" }
todo: [A, B, C]
`;
    await runText(yaml, { scriptMemory: 64 });
    const lines = logFile(folder);
    const logged = lines.flatMap((line) => /\| ([ABC]\d+)$/.exec(line)?.[1] ?? []);
    expect(logged).toEqual([...Array.from({ length: 2000 }, (_, i) => `A${i}`), "B0", "C0"]);
    expect(lines.filter((line) => /job "[ABC]" failed/.test(line))).toHaveLength(3);
  });

  test("logToFile with a filenameTemplate without the day is refused", async () => {
    await expect(runText(withOjob("logToFile: { filenameTemplate: a.log }"))).rejects.toThrow(/without {{timedate}}/);
  });
});

describe("logToConsole: false", () => {
  test("as OpenAF: logToConsole: false hides the banners of jobs, and shows what scripts log, warn of and print", async () => {
    const code = "log('a'); logWarn('b'); logErr('c'); print('d')";
    const { out, err } = await runText(withOjob("logToConsole: false", code));
    expect(out).toMatch(/^\S+ \| INFO {2}\| a\n\S+ \| WARN {2}\| b\nd\n$/);
    expect(err).toMatch(/^\S+ \| ERROR \| c\n$/);
  });

  test("logToConsole: false shows why a job failed", async () => {
    const { err } = await runText(withOjob("logToConsole: false", "nothing()"));
    expect(err).toMatch(/^\S+ \| ERROR \| job "Job" failed: ReferenceError[^<>]*$/);
  });

  test("logToConsole: false keeps the args of logArgs from the terminal, not from the log files", async () => {
    const folder = join(folderWith({}), "logs");
    const ojob = `logToConsole: false\n  logArgs: true\n  logToFile: { logFolder: ${folder} }`;
    const { lines } = await runText(withOjob(ojob, "log('a')"), { args: { n: 1 } });
    expect(lines).toEqual(["a"]);
    expect(logFile(folder).map((line) => line.replace(/^.*\| /, ""))).toEqual(['args of "Job": {"n":1}', "a"]);
  });
});

test("logJobs: false shows no banners", async () => {
  const { out, err } = await runText(withOjob("logJobs: false"));
  expect(out).toMatch(/a\nc\n$/);
  expect(err).toMatch(/^\S+ \| ERROR \| b\n$/);
});

test("logArgs logs the args with which each job starts", async () => {
  const { lines } = await runText(withOjob("logArgs: true"), { args: { n: 1 } });
  expect(lines).toEqual(['args of "Job": {"n":1}', "a"]);
});

test("log.format: json makes every line a JSON map, banners included", async () => {
  const { out, err } = await runText(withOjob("log: { format: json }", "log('a\\nb'); logErr('c')"));
  const parsed = [...out.split("\n"), ...err.split("\n")].filter(Boolean).map((line) => JSON.parse(line));
  const time = expect.stringMatching(/^\d{4}-.*Z$/);
  expect(parsed).toEqual([
    { time, level: "INFO", message: "a\nb", job: "Job" },
    { time, level: "INFO", event: "started", job: "Job" },
    { time, level: "ERROR", message: "c", job: "Job" },
    { time, level: "INFO", event: "done", job: "Job", ms: expect.any(Number) },
  ]);
});
