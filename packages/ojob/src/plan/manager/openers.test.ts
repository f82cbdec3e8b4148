import { join } from "node:path";
import { registerBackend } from "@ojm/core";
import { backend as simple } from "@ojm/simple";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile } from "../../index.js";
import { runText } from "../../testing/run-file.js";
import { JobFileError, type Problem } from "../../text/problem.js";

/** A type that stores nothing. It counts as a store because it is not the one in memory. */
registerBackend({ ...simple, type: "in-store" });

const SYNC =
  "{ name: Sync, from: oJobManager Job Start, to: oJobManager Job End, args: { name: sync }, exec: print('ran') }";

interface Parts {
  readonly init?: string;
  readonly jobs?: readonly string[];
  readonly ojob?: string;
  readonly sync?: string;
}

/** A job file with the managed job in line 5, and Init in line 4 by default. */
function file(todo: string, { init, jobs = [], ojob = "{}", sync = SYNC }: Parts = {}): string {
  const opening = init ?? `{ name: Init, to: oJobManager Init, args: { chLocks: { type: in-store } } }`;
  const lines = [opening, sync, ...jobs].map((job) => `  - ${job}`);
  return ["include: oJobManager.yaml", `ojob: ${ojob}`, "jobs:", ...lines, `todo: ${todo}`, ""].join("\n");
}

const NO_INIT = "{ name: Other, exec: print(1) }";

async function found(yaml: string): Promise<string[]> {
  const shown = ({ severity, at, message }: Problem): string => `${severity} ${at?.line}:${at?.column} ${message}`;
  try {
    const { warnings } = await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"), {
      prepare: async () => {},
    });
    return warnings.map(shown);
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(shown);
  }
}

describe("a job that takes a lock before its store is open", () => {
  test.each([
    ["where the todo has no Init", "[Sync]", {}, /^error 5:25 .*"Init".*not in the todo: .*todo: \[Init, …\]/],
    ["before Init", "[Sync, Init]", {}, /^error 5:25 "Sync" .*before "Init".*Put "Init" first/],
    [
      "before an Init whose args are code",
      "[Sync, Init]",
      { init: "{ name: Init, to: oJobManager Init, args: \"({ chLocks: { type: 'in-store' } })\" }" },
      /^error 5:25 "Sync" .*before "Init".*Put "Init" first/,
    ],
    [
      "before an Init whose item of the todo has code as args",
      "[Sync, { name: Init, args: \"({ chLocks: { type: 'in-store' } })\" }]",
      { init: "{ name: Init, to: oJobManager Init }" },
      /^error 5:25 "Sync" .*before "Init".*Put "Init" first/,
    ],
    ["beside Init", "[Init, Sync]", { ojob: "{ async: true }" }, /^error 5:25 .*deps: \[Init\]/],
    ["by a job that is a step", "[Outer]", { jobs: ["{ name: Outer, from: Sync }"] }, /^error 5:25 "Outer" /],
    [
      "by the lock of its type",
      "[Sync]",
      { sync: "{ name: Sync, typeArgs: { lock: sync }, exec: print(1) }" },
      /^error 5:\d+ "Sync" /,
    ],
    [
      "by a schedule where the todo has no Init",
      "[Sync]",
      { sync: SYNC.replace("exec:", "typeArgs: { cron: '0 2 * * *' }, exec:") },
      /^error 5:25 "Sync" .*not in the todo/,
    ],
  ])("is an error at the place of the lock: %s", async (_, todo, parts, message) => {
    expect(await found(file(todo, parts))).toEqual([expect.stringMatching(message)]);
    await expect(runText(file(todo, parts))).rejects.toThrow(/jobs\.yaml:5:\d+: error: /);
  });

  test.each([
    ["Init is first", "[Init, Sync]", {}],
    ["it depends on Init", "[Sync, Init]", { sync: SYNC.replace("exec:", "deps: [Init], exec:") }],
    [
      "it depends on a job that depends on Init",
      "[Sync, Middle, Init]",
      {
        ojob: "{ async: true }",
        sync: SYNC.replace("exec:", "deps: [Middle], exec:"),
        jobs: ["{ name: Middle, deps: [Init], exec: print(1) }"],
      },
    ],
    ["Init is a step before", "[Outer]", { jobs: ["{ name: Outer, from: [Init, Sync] }"] }],
    [
      "its schedule begins with Init in the todo",
      "[Sync, Init]",
      { sync: SYNC.replace("exec:", "typeArgs: { cron: '0 2 * * *' }, exec:") },
    ],
    ["a script before it opens the store", "[Main, Sync]", { jobs: ["{ name: Main, exec: \"$job('Init')\" }"] }],
    ["a shortcut before it opens the store", "[Main, Sync]", { jobs: ["{ name: Main, from: { (todo): [Init] } }"] }],
    ["the file is a library", "[]", {}],
  ])("is none if %s", async (_, todo, parts) => {
    expect(await found(file(todo, parts))).toEqual([]);
  });
});

describe("a managed job without any Init", () => {
  test("is warned of once, with what to write", async () => {
    expect(await found(file("[Sync, Sync]", { init: NO_INIT }))).toEqual([
      expect.stringMatching(
        /^warning 5:25 .*Its locks are in memory: they exclude only jobs of this process\. .*to: oJobManager Init.*chLocks/,
      ),
    ]);
  });

  test("runs, and the log has one warning", async () => {
    const { well, out, err } = await runText(file("[Sync, Sync]", { init: NO_INIT }));
    expect(well).toBe(true);
    expect(out).toContain("ran");
    expect(err.match(/in memory/g)).toHaveLength(1);
  });

  test("is not warned of where an Init keeps all in memory", async () => {
    const init = "{ name: Init, to: oJobManager Init }";
    expect(await found(file("[Init, Sync]", { init }))).toEqual([]);
  });

  test("is not warned of in a library", async () => {
    expect(await found(`include: oJobManager.yaml\njobs:\n  - ${SYNC}\n`)).toEqual([]);
  });
});

describe("what no check can know", () => {
  test.each([
    ["a script runs the job", "{ name: Main, exec: \"$job('Sync')\" }"],
    ["a script seemed to open the store", "{ name: Main, exec: \"if (args.no) $job('Init'); $job('Sync')\" }"],
    ["a script reads the locks", "{ name: Main, exec: \"$ch('oJobManager-locks').getAll()\" }"],
  ])("the job fails closed: %s", async (_, job) => {
    const { well, out, err } = await runText(file("[Main]", { jobs: [job] }));
    expect(well).toBe(false);
    expect(out).not.toContain("ran");
    expect(err).toMatch(/oJobManager Init has not run.*jobs\.yaml:4:/);
  });
});
