import { join } from "node:path";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile, JobFileError } from "../../index.js";
import { runText } from "../../testing/run-file.js";

const START = "oJobManager Job Start";

/** A job file of these jobs, one a line from the third line on. */
const file = (jobs: readonly string[], todo: string): string =>
  ["include: oJobManager.yaml", "jobs:", ...jobs.map((job) => `  - ${job}`), `todo: ${todo}`, ""].join("\n");

const LOCKED = `{ name: A, from: ${START}, args: { name: "a-{{lock}}" }, exec: "print('ran')" }`;

/** The errors of a file of these jobs: line, column and message. */
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

const REFUSED = /nothing fills \{\{lock\}\} in the name of the lock: all runs would share one\. Add lock=/;

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
      "whoever launches the job",
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
  /** The warnings of a file of one job, in line 3. */
  async function warned(job: string, todo = "[A]"): Promise<string[]> {
    const { warnings } = await checkJobFile(join(folderWith({ "jobs.yaml": file([job], todo) }), "jobs.yaml"), {});
    const ofLocks = warnings.filter(({ message }) => !message.includes("no oJobManager Init"));
    return ofLocks.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
  }

  const MATRIX = "matrix: { os: [a, b], v: [1, 2] }";

  test("runs of a matrix whose lock name has not all of its values cannot run at once, and check says so", async () => {
    expect(await warned(`{ name: A, from: ${START}, ${MATRIX}, args: { name: "x-{{os}}" } }`)).toEqual([
      '3:94 several of the 4 runs of "A" have one lock, "x-a": each waits 2.5 s for the one before it, and then does not run. Put into the name what tells them apart: {{os}}, {{v}}, or write "single: true" under "typeArgs".',
    ]);
  });

  test("so it is with a list of args, of the todo too", async () => {
    expect(
      await warned(`{ name: A, from: ${START} }`, "[{ name: A, args: [{ name: x }, { name: x, n: 2 }] }]"),
    ).toEqual([
      expect.stringMatching(
        /^4:\d+ several of the 2 runs of "A" have one lock, "x": .* what tells them apart, or write "single: true"/,
      ),
    ]);
  });

  test("the runs of a matrix with a lock of its type run one after the other, and check says so", async () => {
    expect(await warned(`{ name: A, ${MATRIX}, typeArgs: { lock: l } }`)).toEqual([
      '3:69 the 4 runs of "A" have one lock, "l": they run one after the other. If that is meant, write "single: true" under "typeArgs".',
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
