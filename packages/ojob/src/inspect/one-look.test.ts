import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { registerBackend } from "@ojm/core";
import { backend as simple } from "@ojm/simple";
import { folderWith } from "@ojm/testing/folder";
import { expect, test } from "vitest";
import { checkJobFile, JobFileError } from "../index.js";

/** A type that stores nothing. It counts as a store because it is not the one in memory. */
registerBackend({ ...simple, type: "in-store" });

/** Wrong lines of a job file, each with the corrected line and its message. */
const WRONG: readonly (readonly [wrong: string, right: string, said: RegExp])[] = [
  ["  notify: [{ on: failed, to: { command: [./none] } }]", "  sequential: true", /there is no file .*none/],
  [
    "  - { name: Init, to: oJobManager Init, args: { chLocks: { type: in-store, args: { fiel: a } } } }",
    "  - { name: Init, to: oJobManager Init, args: { chLocks: { type: in-store } } }",
    /has no option "fiel"/,
  ],
  ["  - { name: Syntax, exec: 'if (' }", "  - { name: Syntax, exec: 'log(1)' }", /has a syntax error/],
  ["  - { name: Cron, type: periodic, typeArgs: { cron: 99 * * * * }, exec: log(1) }", "  - { name: Cron }", /99/],
  [
    "  - { name: Retry, typeArgs: { retry: { attempts: 1000 } }, exec: log(1) }",
    "  - { name: Retry, typeArgs: { retry: { attempts: 2 } }, exec: log(1) }",
    /1 to 100/,
  ],
  [
    "  - { name: Long, from: oJobManager Job Start, to: oJobManager Job End, args: { name: long, timeout: 0 } }",
    "  - { name: Long, from: oJobManager Job Start, to: oJobManager Job End, args: { name: long } }",
    /"timeout" must be a number/,
  ],
  ["todo: [Early, Init, Long, Name]", "todo: [Init, Early, Long, Name]", /takes a lock before "Init"/],
  [
    "  - { name: Name, from: oJobManager Job Start, to: oJobManager Job End, args: { name: 'of {{day}}' } }",
    "  - { name: Name, from: oJobManager Job Start, to: oJobManager Job End, args: { name: of } }",
    /nothing fills \{\{day\}\} in the name of the lock/,
  ],
];

const EARLY = "  - { name: Early, from: oJobManager Job Start, to: oJobManager Job End, args: { name: early } }";

/** The file with all of these lines wrong, except the one with this number. */
function fileWithout(mended?: number): string {
  const [notify = "", ...others] = WRONG.map(([wrong, right], i) => (i === mended ? right : wrong));
  const [todo = ""] = others.filter((line) => line.startsWith("todo"));
  const jobs = others.filter((line) => line !== todo);
  return ["include: oJobManager.yaml", "ojob:", notify, "  argsFromEnvs: false", "jobs:", ...jobs, EARLY, todo].join(
    "\n",
  );
}

/** The errors of job files, all of which are written to the same place. */
function errorsOf(folder: string): (yaml: string) => Promise<string[]> {
  const file = join(folder, "jobs.yaml");
  return async (yaml) => {
    writeFileSync(file, yaml);
    try {
      await checkJobFile(file, { prepare: async () => {} });
      return [];
    } catch (error) {
      if (!(error instanceof JobFileError)) throw error;
      return error.problems.flatMap(({ severity, message }) => (severity === "error" ? [message] : []));
    }
  };
}

test("one look finds all that is wrong: what is mended uncovers nothing", async () => {
  const errorsIn = errorsOf(folderWith({}));
  const all = await errorsIn(fileWithout());
  for (const [, , said] of WRONG) expect(all).toContainEqual(expect.stringMatching(said));
  expect(all).toHaveLength(WRONG.length);
  for (const [i, [, , said]] of WRONG.entries()) {
    const left = all.filter((message) => !said.test(message));
    expect(await errorsIn(fileWithout(i))).toEqual(left);
  }
});

test("jobs that wait for each other are found beside the name of a job that is not there", async () => {
  const jobs = "jobs: [{ name: A, deps: [B], exec: log(1) }, { name: B, deps: [A], exec: log(1) }]";
  expect(await errorsOf(folderWith({}))(`${jobs}\ntodo: [A, None]\n`)).toEqual([
    expect.stringMatching(/"A" → "B" → "A"/),
    expect.stringMatching(/names the job "None"/),
  ]);
});

test("with a part that cannot be read, nothing is guessed of the whole", async () => {
  const yaml = fileWithout(1).replace("to: oJobManager Init", "to: 7, each: {}");
  const found = (await errorsOf(folderWith({}))(yaml)).join("\n");
  expect(found).toMatch(/"each" must be a text or a list/);
  expect(found).not.toMatch(/takes a lock/);
});

test("runs whose names nothing fills get no warning of one lock", async () => {
  const job =
    "{ name: A, from: oJobManager Job Start, to: oJobManager Job End, args: [{ name: '{{x}}' }, { name: '{{x}}' }] }";
  const file = join(folderWith({ "jobs.yaml": `include: oJobManager.yaml\njobs: [${job}]\ntodo: [A]\n` }), "jobs.yaml");
  const error = await checkJobFile(file, { prepare: async () => {} }).catch((thrown: unknown) => thrown);
  const messages = (error as JobFileError).problems.map(({ message }) => message).join("\n");
  expect(messages).toMatch(/nothing fills \{\{x\}\} in the name of the lock/);
  expect(messages).not.toMatch(/share the lock/);
});
