import { existsSync } from "node:fs";
import { join } from "node:path";
import { registerBackend } from "@ojm/core";
import { backend as simple } from "@ojm/simple";
import { folderWith } from "@ojm/testing/folder";
import { describe, expect, test } from "vitest";
import { checkJobFile, JobFileError } from "../../index.js";
import { runText } from "../../testing/run-file.js";

/** A type that keeps nothing. It stands for a store, as it is not the one in memory. */
registerBackend({ ...simple, options: ["file"], open: (_, context) => simple.open({}, context), type: "by-file" });

const SYNC = "{ name: Sync, from: oJobManager Job Start, args: { name: sync }, exec: print('ran') }";

/** A job file whose job `Init`, in line 3, has this path for both its stores. */
function file(path: string, more = "", todo = "[Init, Sync]"): string {
  const channels = ["chJobs", "chLocks"].map((name) => `${name}: { type: by-file, args: { file: ${path} } }`);
  const init = `{ name: Init, ${more}to: oJobManager Init, args: { ${channels.join(", ")} } }`;
  return `include: oJobManager.yaml\njobs:\n  - ${init}\n  - ${SYNC}\ntodo: ${todo}\n`;
}

async function found(yaml: string, args = {}): Promise<string[]> {
  try {
    await checkJobFile(join(folderWith({ "jobs.yaml": yaml }), "jobs.yaml"), { args });
    return [];
  } catch (error) {
    if (!(error instanceof JobFileError)) throw error;
    return error.problems.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.column} ${message}`);
  }
}

describe("a store whose path nothing fills", () => {
  test.each([
    [
      "a variable",
      '"${OJM_TEST_NONE}/jobs.db"',
      /\$\{OJM_TEST_NONE\} in "file" of "chJobs".*Set OJM_TEST_NONE in the env/,
    ],
    ["a template", '"{{db}}"', /\{\{db\}\} in "file" of "chJobs".*Add db=… to the command line/],
  ])("is an error at its place, for each channel: %s", async (_, path, message) => {
    const [first, second, ...more] = await found(file(path));
    expect(more).toEqual([]);
    expect(first).toMatch(/^error 3:\d+ /);
    expect(first).toMatch(message);
    expect(second).toMatch(/of "chLocks"/);
    await expect(runText(file(path))).rejects.toThrow(/jobs\.yaml:3:\d+: error: nothing fills/);
  });

  test("is an error in ojob.channels, where templates are not filled", async () => {
    const yaml = `ojob: { channels: { create: [{ name: c, type: by-file, args: { file: "\${OJM_TEST_SET}/a" } }] } }
jobs: [{ name: A, exec: print(1) }]
todo: [A]
`;
    expect(await found(yaml)).toEqual([expect.stringMatching(/^error 1:\d+ .*\$\{OJM_TEST_SET\} in "file" of "c"/)]);
  });

  test("ends Init where only the run can tell, and no job runs under another lock", async () => {
    const open = "{ name: Open, from: Init }";
    for (const path of ['"${OJM_TEST_NONE}/jobs.db"', '"{{db}}"']) {
      const yaml = file(path, "", "[Open, Sync]").replace("todo:", `  - ${open}\ntodo:`);
      const { well, out, err, folder } = await runText(yaml);
      expect(well).toBe(false);
      expect(out).not.toContain("ran");
      expect(err).toMatch(
        /job "Open" failed: nothing fills (\$\{OJM_TEST_NONE\}|\{\{db\}\}) in "file" of .*jobs\.yaml:3:/,
      );
      expect(existsSync(join(folder, "{{db}}"))).toBe(false);
    }
  });

  test.each([
    ["has a default", '"${OJM_TEST_NONE:-./data}/jobs.db"', {}],
    ["gets its value from the command line", '"{{db}}"', { db: "a" }],
    ["escapes the variable", '"$${OJM_TEST_NONE}"', {}],
  ])("is no error if it %s", async (_, path, args) => {
    expect(await found(file(path), args)).toEqual([]);
  });

  test("is no error where a script may set it", async () => {
    expect(
      await found(file('"{{db}}"', "from: Ask, ").replace("todo:", "  - { name: Ask, exec: args.db = 1 }\ntodo:")),
    ).toEqual([]);
  });
});
