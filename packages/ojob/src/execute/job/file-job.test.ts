import { describe, expect, test } from "vitest";
import { runText } from "../../testing/run-file.js";

const OUTER = `ojob: { numThreads: 1 }
jobs:
  - { name: Other, type: jobs, typeArgs: { file: other.yaml }, args: { day: 5 } }
  - { name: After, deps: Other, exec: "log('after')" }
todo: [After, Other]
`;

describe("a job of type jobs", () => {
  test("a job of type jobs runs the todo of another file with its args, in the slots of its own file", async () => {
    const other = `jobs:
  - { name: A, exec: "log('A' + args.day); global.oJobManagerLaunchJob('B')" }
  - { name: B, exec: "log('B' + args.day)" }
todo: [A]
`;
    const { well, lines } = await runText(OUTER, {}, { "other.yaml": other });
    expect([well, lines]).toEqual([true, ["A5", "B5", "after"]]);
  });

  test("the url of a job file is the copy of it that lies in urls beside the file", async () => {
    const url = (typeArgs: string): string => OUTER.replace("{ file: other.yaml }", `{ ${typeArgs} }`);
    const other = "jobs: [{ name: A, exec: log('A' + args.day) }]\ntodo: [A]\n";
    const files = { "urls/ojob.io_8080/a/b%20c.yaml": other };
    const { well, lines } = await runText(url('url: "https://ojob.io:8080/a/b c.yaml?x=1"'), {}, files);
    expect([well, lines]).toEqual([true, ["A5", "after"]]);
    const outside = { "urls/h/etc/x.yaml": other };
    expect((await runText(url("url: https://h/../../../etc/x.yaml"), {}, outside)).lines).toEqual(["A5", "after"]);
    const wrong = async (typeArgs: string, type = "jobs"): Promise<string> =>
      String(
        await runText(url(typeArgs).replace("type: jobs", `type: ${type}`)).catch((error: Error) => error.message),
      );
    expect(await wrong("url: https://ojob.io/x.yaml")).toMatch(
      /jobs\.yaml:3:\d+: error: there is no copy of https:\/\/ojob\.io\/x\.yaml at .*\/urls\/ojob\.io\/x\.yaml\..*curl --create-dirs -fo .*x\.yaml https:/,
    );
    expect(await wrong("url: x.yaml")).toMatch(/"url" of "Other" must begin with http/);
    expect(await wrong("url: https://h/x.yaml", "simple")).toMatch(/"url" of "Other" is for jobs of type jobs/);
  });

  test("a job of type jobs fails if a job of the other file fails", async () => {
    const { well, lines, err } = await runText(
      OUTER,
      {},
      { "other.yaml": "jobs: [{name: A, exec: throw 1}]\ntodo: [A]\n" },
    );
    expect([well, lines]).toEqual([false, []]);
    expect(err).toMatch(/job "Other" failed: .*other\.yaml failed/);
    expect(err).toMatch(/job "After" was skipped: it depends on "Other", which failed/);
  });

  test.each([
    ["is missing", undefined, /other\.yaml cannot be run:\nerror: there is no file .*other\.yaml/],
    [
      "is wrong",
      "jobs: [{name: A}]\ntodo: [B]\n",
      /other\.yaml cannot be run:\n.*other\.yaml:2:8: error: "todo" names the job "B"/,
    ],
    ["runs this one", OUTER.replace("other.yaml", "jobs.yaml"), /job files run each other in a cycle: .*jobs\.yaml/],
  ])("a job of type jobs says what is wrong with a file that %s", async (_, other, message) => {
    const { well, err } = await runText(OUTER, {}, other === undefined ? {} : { "other.yaml": other });
    expect(well).toBe(false);
    expect(err).toMatch(message);
  });

  test("a job of type jobs needs a file in its typeArgs", async () => {
    await expect(runText("jobs: [{name: A, type: jobs}]\ntodo: [A]\n")).rejects.toThrow(
      /"A" is of type jobs: it needs "file" in its "typeArgs"/,
    );
  });

  test("a job of type jobs ends at its timeout", async () => {
    const yaml = OUTER.replace("file: other.yaml", "file: other.yaml, timeout: 200");
    const { err } = await runText(yaml, {}, { "other.yaml": "jobs: [{name: A, exec: 'for (;;) {}'}]\ntodo: [A]\n" });
    expect(err).toMatch(/job "Other" failed: "Other" took longer than its timeout of 200 ms/);
  });
});
