import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { checkJobFile, JobFileError } from "../../index.js";

/** The messages of the problems of a job file, without their places. */
async function problemsOf(jobs: string, more = "ojob: { daemon: true }\ntodo: [Init]"): Promise<string[]> {
  const yaml = `include: [oJobQueue.yaml, oJobManager.yaml]\njobs:\n${jobs}${more}\n`;
  try {
    const checked = await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"));
    return checked.warnings.map(({ message }) => message);
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(({ message }) => message);
  }
}

const init = (args: string, name = "Init"): string =>
  `  - { name: ${name}, to: oJob Queue Manager, args: { ${args} } }\n`;

const rules = (rule: string, job = "A"): string => `${init("")}  - { name: A, exec: "1" }
  - name: Rules
    to: oJob Queue Rules
    args: { data: { x: 1 }, rules: [{ rule: ${JSON.stringify(rule)}, job: ${job} }] }
`;

test("a period that is meant as a rate", async () => {
  const rate = /"queuePeriod" limits no rate/;
  const commented = "  - name: Init\n    to: oJob Queue Manager\n    args:\n      queuePeriod: 2000 # rate limiting\n";
  expect(await problemsOf(commented)).toEqual([expect.stringMatching(rate)]);
  const named = await problemsOf(
    init("queuePeriod: 2000", "Rate Limited"),
    "ojob: { daemon: true }\ntodo: [Rate Limited]",
  );
  expect(named).toEqual([expect.stringMatching(rate)]);
  expect(await problemsOf(init("queuePeriod: 5000, queueTimeout: 60000"))).toEqual([]);
});

test("a job that sleeps before it calls another job", async () => {
  const wrapper =
    "  - name: Wrapper\n    exec: |\n      sleep(args.delay, true)\n      $job(args.targetJob, args.targetArgs)\n";
  expect(await problemsOf(init("") + wrapper)).toEqual([expect.stringMatching(/sleeps in a slot/)]);
});

test("queueDelete: false without a delete", async () => {
  const never = await problemsOf(init("queueDelete: false"));
  expect(never).toEqual([expect.stringMatching(/each item would become a dead letter/)]);
  const script = `  - { name: B, exec: '$job("oJob Queue Delete", { idx: args.idx })' }\n`;
  expect(await problemsOf(init("queueDelete: false") + script)).toEqual([]);
});

test("a worker that ends with the todo, although its items are in a store", async () => {
  const short = /ends with the todo, and items that wait stay in the store/;
  expect(await problemsOf(init("type: sqlite, args: { file: a.db }"), "todo: [Init]")).toEqual([
    expect.stringMatching(short),
  ]);
  expect(await problemsOf(init(""), "todo: [Init]")).toEqual([]);
});

test("rules: quotes around a value are a warning, other faults are errors", async () => {
  expect(await problemsOf(rules("{{x}} > 1"))).toEqual([]);
  expect(await problemsOf(rules("'{{x}}' == 'a'"))).toEqual([expect.stringMatching(/has quotes around a value/)]);
  expect(await problemsOf(rules("{{x}} >"))).toEqual([expect.stringMatching(/"Rules" cannot be evaluated/)]);
  expect(await problemsOf(rules("'a {{x}}' == 'b'"))).toEqual([expect.stringMatching(/is within the text/)]);
  expect(await problemsOf(rules("true", "Nowhere"))).toEqual([
    expect.stringMatching(/a rule of "Rules" names the job/),
  ]);
});
