import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { ojm } from "../testing/ojm.js";

const FILE = `include: oJobManager.yaml
help:
  text: Sends the report of a day.
  expects:
    - { name: day, desc: the day, mandatory: true, example: 2026-01-31 }
    - { name: format, desc: how it looks, options: [pdf, html] }
jobs:
  - name: Report
    help:
      text: Makes the report.
      expects: [{ name: day, mandatory: true, desc: the day to report }]
      returns: [{ name: file, desc: the file that was written }]
    from: oJobManager Job Start
    args: { name: report }
    exec: print(args.day)
  - name: Nightly
    typeArgs: { cron: "0 2 * * *" }
todo: [Report]
`;

async function help(...words: string[]): Promise<string> {
  const { code, out, err } = await ojm(folderWith({ "a.yaml": FILE }), "run", "a.yaml", ...words);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out;
}

describe("ojm run FILE", () => {
  test.each(["-h", "--help"])(
    "ojm run FILE %s shows what the file does, its arguments and its jobs, and runs nothing",
    async (option) => {
      expect(await help(option)).toBe(`a.yaml: Sends the report of a day.

Usage: ojm run a.yaml day=2026-01-31 [format=…]

Arguments (* must be given):
  * day     the day (for example 2026-01-31)
    format  how it looks (one of pdf, html)

Jobs (ojm run FILE --jobhelp JOB shows more):
  Report   Makes the report. [todo]
  Nightly  [0 2 * * *]
`);
    },
  );

  test("ojm run FILE --jobhelp shows what a job does, takes and returns", async () => {
    expect(await help("--jobhelp", "Report")).toBe(`Report

Makes the report.

Arguments (* must be given):
  * day  the day to report

Returns:
    file  the file that was written

As written:
  from  oJobManager Job Start
  args  {"name":"report"}
  file  a.yaml:8
`);
  });

  test("ojm run FILE --jobhelp knows the jobs that come with ojm", async () => {
    expect(await help("--jobhelp", "oJobManager Job Start")).toMatch(/Takes the lock .*\* name /s);
  });

  test("ojm run FILE without an argument that the help calls mandatory is refused, and the error explains it", async () => {
    const folder = folderWith({ "a.yaml": FILE });
    const { code, out, err } = await ojm(folder, "run", "a.yaml");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/a\.yaml:5:7: error: the argument "day" \(the day\) is missing\. Add: day=2026-01-31\n/);
    expect((await ojm(folder, "check", "a.yaml")).code).toBe(0);
  });
});
