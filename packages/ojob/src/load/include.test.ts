import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { errorsOf, load, warningsOf } from "../testing/load.js";
import { loadJobFile } from "./load.js";

describe("include", () => {
  const job = (name: string): string => `jobs: [{name: ${name}}]\n`;

  test("included files are found beside the file that includes them, and its jobs win over theirs", () => {
    const { file } = load("include: [sub/b.yaml]\njobs: [{name: A, args: {of: a}}]\ntodo: [A]\n", {
      "sub/b.yaml": "include: c.yaml\njobs: [{name: A, args: {of: b}}, {name: B}]\ntodo: [B]\n",
      "sub/c.yaml": job("C"),
    });
    expect([...file.jobs.keys()].sort()).toEqual(["A", "B", "C"]);
    expect(file.jobs.get("A")?.args).toEqual([{ of: "a" }]);
    expect(file.todo.map(({ job }) => job)).toEqual(["B", "A"]);
  });

  test("include finds the job files that come with ojm", () => {
    const { file } = load("include: [oJobManager.yaml, oJobBasics.yaml]\ntodo: [oJobManager Init]\n");
    expect([...file.jobs.keys()]).toEqual(
      expect.arrayContaining([
        "oJobManager Init",
        "oJobManager Job Start",
        "oJobManager Job End",
        "oJobManager Error",
        "oJob sh",
      ]),
    );
  });

  test("an include of a missing file is an error at its place", () => {
    expect(errorsOf(() => load("include:\n  - ojobManager.yaml\ntodo: [A]\n"))[0]).toMatch(
      /^2:5 there is no file ojobManager\.yaml .* Did you mean oJobManager\.yaml\?$/,
    );
  });

  test("an include cycle is an error that shows the cycle", () => {
    const errors = errorsOf(() => load("include: b.yaml\ntodo: [A]\n", { "b.yaml": "include: jobs.yaml\n" }));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/include each other in a cycle: .*jobs\.yaml → .*b\.yaml → .*jobs\.yaml/);
  });

  test("a file that is included twice, by two ways, is fine", () => {
    const both = { "b.yaml": "include: d.yaml\n", "c.yaml": "include: d.yaml\n", "d.yaml": job("D") };
    expect(load("include: [b.yaml, c.yaml]\ntodo: [D]\n", both).problems.list).toEqual([]);
  });

  test("a job of the file that replaces a built-in job is warned of", () => {
    expect(
      warningsOf("include: oJobManager.yaml\njobs: [{name: oJobManager Error}]\ntodo: [oJobManager Init]\n"),
    ).toEqual(['2:15 this job replaces "oJobManager Error", which comes with ojm.']);
  });

  test("two included files with a job of the same name are warned of, unless an including file replaces the job", () => {
    const files = { "b.yaml": job("X"), "c.yaml": `include: d.yaml\n${job("X")}`, "d.yaml": job("X") };
    expect(warningsOf("include: c.yaml\njobs: [{name: X}]\ntodo: [X]\n", files)).toEqual([]);
    expect(warningsOf("include: [b.yaml, c.yaml]\ntodo: [X]\n", files)).toEqual([
      expect.stringMatching(/^1:15 this job replaces the one of the same name at .*b\.yaml:1:15\.$/),
    ]);
  });

  test.each([
    ["is a folder", "sub", /^1:11 .*sub is a folder\. Give the job file inside it\.$/],
    ["is not text", "binary.yaml", /^1:11 .*binary\.yaml is not a text file/],
    ["is an address", "ojob.io/common/utils", /^1:11 there is no file .* Only files can be included/],
  ])("an include of what %s is an error at its place, beside the other errors", (_, name, message) => {
    const text = `include: [${name}]\njobs: [{}]\ntodo: [Of the lost file]\n`;
    const errors = errorsOf(() => load(text, { "sub/x.yaml": "", "binary.yaml": "\0" }));
    expect(errors).toEqual([expect.stringMatching(message), '2:8 this job has no "name".']);
  });

  test("an include of a file with wrong YAML shows that error and those of the including file", () => {
    const errors = errorsOf(() => load("include: [b.yaml]\njobs: [{}]\ntodo: [B]\n", { "b.yaml": "jobs: [\n" }));
    expect(errors.sort()).toEqual([
      expect.stringMatching(/^2:1 this is not valid YAML/),
      '2:8 this job has no "name".',
    ]);
  });

  test("an include cycle through a symbolic link to a folder is found", () => {
    const folder = folderWith({ "a.yaml": "include: sub/a.yaml\ntodo: [A]\n" });
    symlinkSync(folder, join(folder, "sub"));
    expect(errorsOf(() => loadJobFile(join(folder, "a.yaml")))[0]).toMatch(/^1:10 these files include each other/);
  });
});

describe("jobsInclude", () => {
  const library = {
    "b.yaml":
      "include: c.yaml\nojob: {numThreads: 1}\ninit: {b: 1}\ncode: {b.js: 1}\nhelp: B\njobs: [{name: B}]\ntodo: [B]\n",
    "c.yaml": "jobs: [{name: C}]\ntodo: [C]\n",
  };

  test("jobsInclude takes the jobs and the code of a file and of its includes, and nothing else", () => {
    const { file } = load("jobsInclude: b.yaml\njobs: [{name: A, from: C}]\ntodo: [A]\n", library);
    expect([...file.jobs.keys()].sort()).toEqual(["A", "B", "C"]);
    expect([...file.code.keys()]).toEqual(["b.js"]);
    expect(file.todo.map((entry) => entry.job)).toEqual(["A"]);
    expect([file.settings, file.init, file.help]).toEqual([{}, undefined, undefined]);
  });

  test("a file that is named by both jobsInclude and include keeps its todo", () => {
    const more = { ...library, "d.yaml": "jobsInclude: c.yaml\n" };
    const { file, problems } = load("include: [d.yaml, c.yaml]\ntodo: [C]\n", more);
    expect(file.todo.map((entry) => entry.job)).toEqual(["C", "C"]);
    expect(problems.list).toEqual([]);
  });
});
