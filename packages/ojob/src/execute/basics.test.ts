import { describe, expect, test } from "vitest";
import { runText, script } from "../testing/run-file.js";

/** Runs the jobs of this YAML, with the basics included. */
function run(jobs: string, todo: string, files: Readonly<Record<string, string>> = {}): ReturnType<typeof runText> {
  return runText(`include: oJobBasics.yaml\njobs:\n${jobs}\ntodo: ${todo}\n`, {}, files);
}

const SHOW = "  - { name: Show, exec: \"print(stringify(args, undefined, ''))\" }";

describe("oJobBasics.yaml", () => {
  test("oJob Start logs init, oJob Stop and Shutdown log done, and oJob Sleep logs nothing", async () => {
    expect((await run(SHOW, "[oJob Start, oJob Sleep 1s, oJob Stop, oJob Shutdown]")).lines).toEqual([
      "init",
      "done",
      "done",
    ]);
  });

  test("oJob Set, Path Set, Sort Array, Stringify, YAML and From global work on global", async () => {
    const jobs = `${SHOW}
  - { name: A, to: oJob Set, args: { name: list, value: [b, a] } }
  - { name: B, to: oJob Path Set, args: { name: map, path: x.y, value: 1 } }
  - { name: C, to: oJob Sort Array, args: { name: list, reverse: false } }
  - { name: D, to: oJob Stringify, args: { name: "[list, map]", min: true } }
  - { name: E, to: oJob YAML, args: { name: map } }
  - { name: F, from: oJob From global, to: Show, args: { global: map } }`;
    const { out, err, well } = await run(jobs, "[A, B, C, D, E, F]");
    expect({ out, well }, err).toEqual({
      out: '[["a","b"],{"x":{"y":1}}]\nx:\n  \'y\': 1\n{"global":"map","x":{"y":1}}\n',
      well: true,
    });
  });

  test("oJob Args from JSON reads args from a file; a missing file fails it, and oJob Args from YAML", async () => {
    const ran = await runText(
      `include: oJobBasics.yaml
jobs:
${SHOW}
  - { name: A, from: [oJob Args from JSON, Show], args: { file: "{{folder}}/a.json" } }
  - { name: B, from: [oJob Args from YAML, Show], args: { file: "{{folder}}/none.yaml" } }
todo: [A, B]
`,
      { args: { folder: "packages/ojob" } },
    );
    expect(ran.well).toBe(false);
    expect(ran.err).toMatch(/ENOENT.*packages\/ojob\/a\.json/);
    expect(ran.err).toMatch(/ENOENT.*none\.yaml/);
    const there = await run(
      `${SHOW}\n  - { name: A, from: [oJob Args from JSON, Show], args: { file: package.json } }`,
      "[A]",
    );
    expect(there.out).toMatch(/"private":true/);
  });

  test("oJob sh runs commands until one fails, and hands on what they wrote", async () => {
    const jobs = `${SHOW}
  - { name: A, from: oJob sh, to: Show, args: { cmd: [cat, "echo two >&2"], stdin: "one", quiet: true } }
  - { name: B, to: oJob sh, args: { cmd: [echo b, exit 3, echo never] } }
  - { name: C, to: oJob sh, args: { cmd: "echo c; exit 3", exitcode: 3, prefix: p } }
  - { name: D, to: oJob sh }`;
    const { out, err, well } = await run(jobs, "[A, B, C, D]");
    expect(well).toBe(false);
    expect(out).toBe(
      '{"cmd":["cat","echo two >&2"],"stdin":"one","quiet":true,"stderr":"two\\n","stdout":"one"}\nb\np | c\n',
    );
    expect(err).toMatch(/job "B" failed: exit code 3 of: exit 3 \(oJobBasics\.yaml:\d+:\d+\)/);
    expect(err).toMatch(/job "D" failed: oJob sh needs "cmd"/);
  });

  test("a job of oJobBasics.yaml that is used without its include is an error that names the include", async () => {
    await expect(runText("jobs: []\ntodo: [oJob sh]\n")).rejects.toThrow(
      /It comes with oJobBasics\.yaml: add "include:/,
    );
  });
});

test("a script that replaces Date.now does not end the process by the time of its log lines", async () => {
  const { well, lines } = await runText(script('Date.now = () => Number.NaN;\nlog("still here");'));
  expect([well, lines]).toEqual([true, ["still here"]]);
});
