import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile } from "../../index.js";
import { load } from "../../testing/load.js";
import { runText } from "../../testing/run-file.js";
import { JobFileError } from "../../text/problem.js";
import { plan } from "../plan.js";

const START = "oJobManager Job Start";

/** The problems of a file with these jobs, one per line from the third line on. */
function errorsOf(jobs: readonly string[], todo: string): string[] {
  const yaml = ["include: oJobManager.yaml", "jobs:", ...jobs.map((job) => `  - ${job}`), `todo: ${todo}`, ""].join(
    "\n",
  );
  const { file, problems } = load(yaml);
  plan(file, {}, problems);
  return problems.errors.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

test.each([
  [
    "of the step that takes the lock",
    ["{ name: Work, from: Lock }", `{ name: Lock, to: ${START}, args: { name: x } }`],
    "[Work]",
  ],
  [
    "of a step of a step",
    ["{ name: A, from: B }", "{ name: B, from: C }", `{ name: C, to: ${START}, args: { name: x } }`],
    "[A]",
  ],
  ["of a step before", [`{ name: A, from: [Set, ${START}] }`, "{ name: Set, args: { name: x } }"], "[A]"],
  ["given to the step", ["{ name: A, from: { name: B, args: { name: x } } }", `{ name: B, to: ${START} }`], "[A]"],
  ["that a check sets", [`{ name: A, from: ${START}, check: { in: { name: "default('x')" } } }`], "[A]"],
  ["that a shortcut sets", [`{ name: A, from: [{ (pass): { name: x } }, ${START}] }`], "[A]"],
])("a lock name in the args %s is enough", (_, jobs, todo) => {
  expect(errorsOf(jobs, todo)).toEqual([]);
});

test.each([
  [
    "no name at all",
    ["{ name: Work, from: Lock }", `{ name: Lock, to: ${START}, args: { x: 1 } }`],
    "[Work]",
    /^5:8 .* needs "name" among the args/,
  ],
  [
    "a wrong timeout of the step",
    [
      "{ name: Work, from: Lock, args: { timeout: 5 } }",
      `{ name: Lock, to: ${START}, args: { name: x, timeout: soon } }`,
    ],
    "[Work]",
    /^4:\d+ "timeout" must be a number of milliseconds/,
  ],
  [
    "a wrong timeout of the second run, behind a script of the first",
    [`{ name: Work, from: ${START}, exec: "print(1)", args: [{ name: x }, { name: y, timeout: soon }] }`],
    "[Work]",
    /^3:\d+ "timeout" must be a number of milliseconds/,
  ],
])("%s is an error before anything starts", (_, jobs, todo, message) => {
  expect(errorsOf(jobs, todo)).toEqual([expect.stringMatching(message)]);
});

test("a start behind forty steps, each of which has the next one twice, is found at once", () => {
  const jobs = Array.from({ length: 40 }, (_, i) => `{ name: "${i}", from: ["${i + 1}", "${i + 1}"] }`);
  const errors = errorsOf([...jobs, `{ name: "40", from: ${START} }`], '["0"]');
  expect(errors).toEqual([expect.stringMatching(/^44:\d+ .* needs "name" among the args/)]);
});

test("a misspelt timeout is warned of, where it stands", () => {
  const warningsOf = (args: string): string[] => {
    const { file, problems } = load(
      `include: oJobManager.yaml\njobs:\n  - { name: A, from: ${START}, args: ${args} }\ntodo: [A]\n`,
    );
    plan(file, {}, problems);
    expect(problems.errors).toEqual([]);
    return problems.warnings.map(({ at, message }) => `${at?.line} ${message}`);
  };
  expect(warningsOf("{ name: x, timeot: 60000 }")).toEqual([
    `3 "timeot" is not an option of ${START}: the run may take an hour. Did you mean "timeout"?`,
  ]);
  expect(warningsOf("{ name: x, timeout: 60000, timeouts: 3 }")).toEqual([]);
  expect(warningsOf("{ name: x, month: 11, time: 3 }")).toEqual([]);
});

/** A job file with these jobs, one per line from the third line on. */
const file = (jobs: readonly string[], todo: string): string =>
  ["include: oJobManager.yaml", "jobs:", ...jobs.map((job) => `  - ${job}`), `todo: ${todo}`, ""].join("\n");

const LOCKED = `{ name: A, from: ${START}, args: { name: "a-{{lock}}" }, exec: "print('ran')" }`;

/** The errors of a file with these jobs: line, column and message. */
async function found(jobs: readonly string[], todo: string, args = {}): Promise<string[]> {
  try {
    await checkJobFile(join(folderWith({ "jobs.yaml": file(jobs, todo) }), "jobs.yaml"), { args });
    return [];
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    const errors = error.problems.filter(({ severity }) => severity === "error");
    return errors.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
  }
}

const REFUSED = /nothing fills \{\{lock\}\} in the name of the lock: all runs would share one lock\. Add lock=/;

describe("a lock name with a template that nothing fills", () => {
  test.each([
    ["of the job", [LOCKED], "[A]", "3:59"],
    ["of the todo", [`{ name: A, from: ${START} }`], '[{ name: A, args: { name: "{{lock}}" } }]', "4:33"],
    [
      "of a job that is a step",
      ["{ name: A, from: Lock, args: { name: a } }", `{ name: Lock, to: ${START}, args: { name: "{{lock}}" } }`],
      "[A]",
      "4:60",
    ],
    ["of a schedule", [LOCKED.replace("exec", "typeArgs: { cron: '0 2 * * *' }, exec")], "[A]", "3:59"],
    ["of the lock of its type", ['{ name: A, typeArgs: { lock: "x-{{lock}}" } }'], "[A]", "3:34"],
  ])("a template in the lock name %s is refused at its place", async (_, jobs, todo, place) => {
    const [problem, ...more] = await found(jobs, todo);
    expect(more).toEqual([]);
    expect(problem).toMatch(new RegExp(`^${place} `));
    expect(problem).toMatch(/\{\{lock\}\}.*all runs would share one/);
  });

  test.each([
    ["the command line", [LOCKED], "[A]", { lock: 7 }],
    ["the todo", [LOCKED], "[{ name: A, args: { lock: x } }]", {}],
    ["the job itself", [LOCKED.replace('{ name: "a', '{ lock: x, name: "a')], "[A]", {}],
    ["the calling job", [`{ name: B, args: { name: b, lock: x }, from: A }`, LOCKED], "[B]", {}],
    ["a script before", [`{ name: A, exec: args.name = 'x', args: { name: "{{lock}}" }, to: ${START} }`], "[A]", {}],
    [
      "the check of the calling job",
      [`{ name: B, args: { name: b }, check: { in: { lock: "default('x')" } }, from: A }`, LOCKED],
      "[B]",
      {},
    ],
    [
      "the launcher of the job",
      [LOCKED, "{ name: B, exec: \"global.oJobManagerLaunchJob('A', { lock: 1 })\" }"],
      "[B]",
      {},
    ],
    ["a condition", [LOCKED], "[{ name: A, when: return args.lock }]", {}],
  ])("a lock name that %s decides is not refused", async (_, jobs, todo, args) => {
    expect(await found(jobs, todo, args)).toEqual([]);
  });

  test("a run of the file is refused with the line, and nothing of it runs", async () => {
    const run = runText(file(["{ name: First, exec: print('ran') }", LOCKED], "[First, A]"));
    await expect(run).rejects.toThrow(/jobs\.yaml:4:59: error: nothing fills .*\n +4 \| {3}- \{ name: A, from: /);
  });

  test("a job whose lock name is known only when it starts fails then, and its script does not run", async () => {
    const launch = "{ name: B, exec: \"global.oJobManagerLaunchJob('A', {})\" }";
    const { well, out, err } = await runText(file([LOCKED, launch], "[B]"));
    expect(well).toBe(false);
    expect(out).not.toContain("ran");
    expect(err).toMatch(REFUSED);
  });
});

describe("runs of one job that have one lock", () => {
  /** The warnings of a file with one job, in line 3. */
  async function warned(job: string, todo = "[A]"): Promise<string[]> {
    const { warnings } = await checkJobFile(join(folderWith({ "jobs.yaml": file([job], todo) }), "jobs.yaml"), {});
    const ofLocks = warnings.filter(({ message }) => !message.includes("no oJobManager Init"));
    return ofLocks.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
  }

  const MATRIX = "matrix: { os: [a, b], v: [1, 2] }";

  test("runs of a matrix whose lock name has not all of its values cannot run at once, and check says so", async () => {
    expect(await warned(`{ name: A, from: ${START}, ${MATRIX}, args: { name: "x-{{os}}" } }`)).toEqual([
      '3:94 several of the 4 runs of "A" share the lock "x-a": each waits 2.5 s for the one before it, and then does not run. Put into the name what distinguishes them: {{os}}, {{v}}, or write "single: true" under "typeArgs".',
    ]);
  });

  test("so it is with a list of args, of the todo too", async () => {
    expect(
      await warned(`{ name: A, from: ${START} }`, "[{ name: A, args: [{ name: x }, { name: x, n: 2 }] }]"),
    ).toEqual([
      expect.stringMatching(
        /^4:\d+ several of the 2 runs of "A" share the lock "x": .* what distinguishes them, or write "single: true"/,
      ),
    ]);
  });

  test("the runs of a matrix with a lock of its type run one after the other, and check says so", async () => {
    expect(await warned(`{ name: A, ${MATRIX}, typeArgs: { lock: l } }`)).toEqual([
      '3:69 the 4 runs of "A" share the lock "l": they run one after the other. If that is intended, write "single: true" under "typeArgs".',
    ]);
  });

  test.each([
    ["have locks of their own", `{ name: A, from: ${START}, ${MATRIX}, args: { name: "x-{{os}}-{{v}}" } }`],
    [
      "run one after the other",
      `{ name: A, from: ${START}, ${MATRIX}, args: { name: x }, typeArgs: { single: true } }`,
    ],
    ["may, one at a time", `{ name: A, from: ${START}, ${MATRIX}, args: { name: x }, typeArgs: { maxParallel: 1 } }`],
  ])("nothing is said of runs that %s", async (_, job) => {
    expect(await warned(job)).toEqual([]);
  });
});
